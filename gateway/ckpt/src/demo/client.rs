//! A client of the gateway for the demo's callers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::task::TaskTracker;

use crate::pki::Credential;

/// The longest a request may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A caller's credential.
pub(super) enum Proof {
    Token(String),
    Certificate(Credential),
}

/// A client over TLS, with a new connection for each request.
pub(super) struct Client {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    token: Option<String>,
}

/// An answer and its request.
pub(super) struct Answer {
    pub(super) request: String,
    pub(super) status: u16,
    pub(super) reason: &'static str,
    pub(super) content_type: String,
    pub(super) trace_id: Option<String>,
    pub(super) body: Value,
    pub(super) took: Duration,
}

impl Client {
    /// A client that trusts only the certificate authority `ca` (PEM).
    pub(super) fn new(address: SocketAddr, ca: &str, proof: &Proof) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let (tls, token) = match proof {
            Proof::Token(token) => (tls.with_no_client_auth(), Some(token.clone())),
            Proof::Certificate(credential) => {
                let chain = vec![CertificateDer::from_pem_slice(
                    credential.certificate.as_bytes(),
                )?];
                let key = PrivateKeyDer::from_pem_slice(credential.key.as_bytes())?;
                (tls.with_client_auth_cert(chain, key)?, None)
            }
        };
        Ok(Self {
            address,
            tls: Arc::new(tls),
            token,
        })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path).await
    }

    pub(super) async fn post(&self, path: &str) -> Result<Answer> {
        self.send(Method::POST, path).await
    }

    async fn send(&self, method: Method, path: &str) -> Result<Answer> {
        let line = format!("{method} {path}");
        let answer = tokio::time::timeout(TIMEOUT, self.exchange(method, path)).await;
        answer
            .with_context(|| format!("{line}: no answer within {} s", TIMEOUT.as_secs()))?
            .with_context(|| format!("{line} failed"))
    }

    async fn exchange(&self, method: Method, path: &str) -> Result<Answer> {
        let began = Instant::now();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::from(self.address.ip());
        let stream = TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = TaskTracker::new().spawn(connection);
        let request = format!("{method} https://{}{path}", self.address);
        let response = sender.send_request(self.request(method, path)?).await?;
        let answer = Answer::read(request, response, began).await;
        connection.abort();
        answer
    }

    fn request(&self, method: Method, path: &str) -> Result<Request<Empty<Bytes>>> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string());
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        Ok(request.body(Empty::new())?)
    }
}

impl Answer {
    async fn read(request: String, response: Response<Incoming>, began: Instant) -> Result<Self> {
        let (parts, body) = response.into_parts();
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let (content_type, trace_id) = (header(CONTENT_TYPE.as_str()), header("x-trace-id"));
        let body = body.collect().await?.to_bytes();
        Ok(Self {
            request,
            status: parts.status.as_u16(),
            reason: parts.status.canonical_reason().unwrap_or_default(),
            content_type: content_type.unwrap_or_default(),
            trace_id,
            body: serde_json::from_slice(&body).context("the answer is not JSON")?,
            took: began.elapsed(),
        })
    }

    /// The stable code of a problem (RFC 9457).
    pub(super) fn code(&self) -> Option<&str> {
        self.body.get("code").and_then(Value::as_str)
    }

    /// The answer in a line, for a check that expected another one.
    pub(super) fn in_short(&self) -> String {
        let detail = self
            .body
            .get("detail")
            .and_then(Value::as_str)
            .unwrap_or_default();
        format!(
            "{} {} {detail}",
            self.status,
            self.code().unwrap_or_default()
        )
    }
}
