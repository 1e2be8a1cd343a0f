//! The peer of a connection: its address, its certificate and its TLS handshake.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use crate::authn::{BadCertificate, Certificate};

/// The other end of a connection, as known from the TLS handshake.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) certificate: Option<Result<Certificate, BadCertificate>>,
    pub(crate) handshake: Handshake,
}

/// The TLS handshake, which is reported once: in the trace of the connection's first request.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) begun: SystemTime,
    pub(crate) done: SystemTime,
    pub(crate) version: &'static str,
    reported: AtomicBool,
}

impl Handshake {
    pub(crate) fn new(begun: SystemTime, done: SystemTime, version: &'static str) -> Self {
        Self {
            begun,
            done,
            version,
            reported: AtomicBool::new(false),
        }
    }

    pub(crate) fn report_once(&self) -> Option<&Self> {
        (!self.reported.swap(true, Ordering::Relaxed)).then_some(self)
    }
}

impl Peer {
    pub(crate) fn new(
        peer: SocketAddr,
        certificate: Option<Result<Certificate, BadCertificate>>,
        handshake: Handshake,
    ) -> Self {
        Self {
            address: peer.ip().to_canonical(),
            port: peer.port(),
            certificate,
            handshake,
        }
    }
}
