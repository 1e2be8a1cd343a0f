//! The main listener: TLS handshakes, and the requests of each connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use hyper_util::rt::TokioIo;
use rustls::ProtocolVersion;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::listener::{Accepted, Listener};
use crate::authn::Certificate;
use crate::config::{Limits, seconds};
use crate::connection::{self, Protocol};
use crate::handler::Handler;
use crate::peer::{Handshake, Peer};

/// The longest reason of a failed handshake in the log, in bytes.
const REASON_MAX: usize = 256;

/// What every connection of the main listener uses.
#[derive(Clone)]
pub(super) struct MainListener {
    pub(super) handler: Arc<Handler>,
    pub(super) acceptor: TlsAcceptor,
    pub(super) limits: Limits,
    pub(super) stop: CancellationToken,
}

impl MainListener {
    /// Accepts connections until `stop`, each served by a task of `connections`.
    pub(super) async fn accept(self, listener: Listener, connections: &TaskTracker) {
        while let Some(Accepted { stream, peer, slot }) = listener.next(&self.stop).await {
            let main = self.clone();
            connections.spawn(async move {
                let _slot = slot;
                let open = &main.handler.metrics().connections;
                open.inc();
                main.serve(stream, peer).await;
                open.dec();
            });
        }
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        let begun = SystemTime::now();
        // Answers are small and sent whole: waiting for more bytes would only delay them.
        let _ = stream.set_nodelay(true);
        let limit = seconds(self.limits.handshake_seconds);
        let stream = match tokio::time::timeout(limit, self.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return self.handshake_failed(peer, &error.to_string()),
            Err(_) => return self.handshake_failed(peer, "timed out"),
        };
        let protocol = protocol(&stream);
        let peer = Arc::new(identified(&stream, peer, begun));
        let answer = |request| {
            let (handler, peer) = (Arc::clone(&self.handler), Arc::clone(&peer));
            async move { handler.answer(peer, request).await }
        };
        connection::serve(
            TokioIo::new(stream),
            protocol,
            &self.limits,
            &self.stop,
            answer,
        )
        .await;
    }

    fn handshake_failed(&self, peer: SocketAddr, reason: &str) {
        self.handler.metrics().handshakes_failed.inc();
        let reason = gateway_core::one_line(reason, REASON_MAX);
        debug!(peer = %peer.ip(), reason, "a TLS handshake failed");
    }
}

/// The protocol that both sides agreed on (ALPN, RFC 7301).
fn protocol(stream: &TlsStream<TcpStream>) -> Protocol {
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Protocol::Http2,
        _ => Protocol::Http1,
    }
}

/// The peer, as far as the handshake identifies it.
fn identified(stream: &TlsStream<TcpStream>, peer: SocketAddr, begun: SystemTime) -> Peer {
    let (_, tls) = stream.get_ref();
    let version = match tls.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        _ => "1.2",
    };
    let certificate = tls.peer_certificates().and_then(|chain| chain.first());
    let handshake = Handshake::new(begun, SystemTime::now(), version);
    Peer::new(peer, certificate.map(Certificate::of), handshake)
}
