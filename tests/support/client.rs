//! An HTTPS client that changes nothing: it normalises no paths, adds no headers and follows no redirects.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use gateway_ckpt::pki::Credential;
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::answer::Answer;
use super::described;

/// An address, the trusted CA and the credentials.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    headers: Vec<(String, String)>,
}

impl Client {
    pub fn new(address: SocketAddr, ca: &str) -> Self {
        Self {
            address,
            tls: Arc::new(config(ca, None, &[])),
            headers: Vec::new(),
        }
    }

    pub fn with_certificate(&self, ca: &str, credential: &Credential) -> Self {
        Self {
            tls: Arc::new(config(ca, Some(credential), &[])),
            ..self.clone()
        }
    }

    pub fn with_protocols(&self, ca: &str, alpn: &[&str]) -> Self {
        Self {
            tls: Arc::new(config(ca, None, alpn)),
            ..self.clone()
        }
    }

    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    pub fn with_token(&self, token: &str) -> Self {
        self.with_header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    pub async fn connect(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        TlsConnector::from(Arc::clone(&self.tls))
            .connect("localhost".try_into().unwrap(), stream)
            .await
    }

    pub async fn post(&self, path: &str) -> Answer {
        self.send(Method::POST, path).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path).await
    }

    pub async fn send(&self, method: Method, path: &str) -> Answer {
        self.try_send(method, path, Bytes::new())
            .await
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, String> {
        let told = |error: hyper::Error| format!("{error:?}");
        let stream = self.connect().await.map_err(|error| error.to_string())?;
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = TokioIo::new(stream);
        let request = self.request(method.clone(), path, body, h2);
        let (parts, body) = if h2 {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io)
                .await
                .map_err(told)?;
            let connection = tokio::task::spawn(connection);
            let answer = collect(sender.send_request(request).await.map_err(told)?).await;
            connection.abort();
            answer.map_err(told)?
        } else {
            let (mut sender, connection) = http1::handshake(io).await.map_err(told)?;
            let connection = tokio::task::spawn(connection);
            let answer = collect(sender.send_request(request).await.map_err(told)?).await;
            connection.abort();
            answer.map_err(told)?
        };
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        };
        described::check(&method, path, &answer);
        Ok(answer)
    }

    /// Sends a request and goes away without waiting for the answer, once `meanwhile` is over.
    pub async fn abandon(&self, path: &str, meanwhile: impl Future<Output = ()>) {
        let stream = self.connect().await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::task::spawn(connection);
        let request = self.request(Method::POST, path, Bytes::new(), false);
        tokio::select! {
            answer = sender.send_request(request) => panic!("answered before it could leave: {answer:?}"),
            () = meanwhile => {}
        }
        connection.abort();
    }

    /// The head of an answer; its body is not read until somebody does.
    pub async fn begin(&self, path: &str) -> http::Response<hyper::body::Incoming> {
        let stream = self.connect().await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::task::spawn(connection);
        sender
            .send_request(self.request(Method::GET, path, Bytes::new(), false))
            .await
            .unwrap()
    }

    fn request(&self, method: Method, path: &str, body: Bytes, h2: bool) -> Request<Full<Bytes>> {
        let uri = if h2 {
            format!("https://localhost{path}")
        } else {
            path.to_owned()
        };
        let mut request = Request::builder().method(method).uri(uri);
        if !h2 {
            request = request.header(HOST, "localhost");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(body)).unwrap()
    }
}

async fn collect(
    response: http::Response<hyper::body::Incoming>,
) -> Result<(http::response::Parts, Bytes), hyper::Error> {
    let (parts, body) = response.into_parts();
    Ok((parts, body.collect().await?.to_bytes()))
}

fn config(ca: &str, credential: Option<&Credential>, alpn: &[&str]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = match credential {
        None => builder.with_no_client_auth(),
        Some(credential) => {
            let chain =
                vec![CertificateDer::from_pem_slice(credential.certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(credential.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

/// A request to the admin listener, in clear.
pub async fn admin(address: SocketAddr, path: &str) -> Answer {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::task::spawn(connection);
    let request = Request::get(path)
        .header(HOST, "localhost")
        .body(Full::new(Bytes::new()))
        .unwrap();
    let (parts, body) = collect(sender.send_request(request).await.unwrap())
        .await
        .unwrap();
    connection.abort();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}
