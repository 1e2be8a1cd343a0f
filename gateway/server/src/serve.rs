//! Putting the parts together: from a configuration to two listeners, and from a signal to a clean end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper_util::rt::TokioIo;
use rustls::ProtocolVersion;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use crate::admin::Admin;
use crate::authn::{Authenticator, Certificate};
use crate::config::{Config, Limits, seconds};
use crate::connection::{self, Protocol};
use crate::handler::Handler;
use crate::peer::{Handshake, Peer};
use crate::reload::Reload;
use crate::services::{Background, Services};
use crate::start_error::StartError;
use crate::telemetry::Telemetry;
use crate::tls;

/// How long the outcomes of what was cut short may take to be recorded.
const LAST_RECORDS: Duration = Duration::from_secs(5);
/// Connections at once on the admin listener.
const ADMIN_CONNECTIONS: usize = 32;

/// How the gateway ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every checkpoint that was running has finished.
    Clean,
    /// `limits.drain-seconds` were over while so many checkpoints still ran. Their containers may stay frozen.
    Aborted(usize),
}

/// A gateway that is ready to run.
pub struct Gateway {
    handler: Arc<Handler>,
    services: Services,
    acceptor: TlsAcceptor,
    main: TcpListener,
    admin: TcpListener,
    limits: Limits,
    stop: CancellationToken,
    reload: Option<(Reload, Config)>,
    /// The time between two signed tree heads of the audit log, where there is a key.
    head_interval: Duration,
}

impl Gateway {
    /// Reads what `config` names, cleans up what a crash left, and binds the addresses. Nothing is served before
    /// [`Gateway::run`].
    ///
    /// # Errors
    /// Whatever would keep it from doing its work, but for a runtime that does not answer yet: that shows in `/readyz`.
    pub async fn start(
        config: &Config,
        telemetry: &Telemetry,
        propagate: gateway_cri::Propagate,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let mut tls = tls::server_config(&config.tls)?;
        tls.ignore_client_order = true;
        let authenticator = Authenticator::new(&config.issuers)?;
        let services = Services::open(config, telemetry, propagate)?;
        let handler = Arc::new(services.handler(authenticator, config, stop.clone()));
        let main = bind(config.listen.address).await?;
        let admin = bind(config.listen.admin_address).await?;
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let limits = config.limits.clone();
        let head_interval = seconds(config.audit.head_seconds);
        Ok(Self {
            handler,
            services,
            acceptor,
            main,
            admin,
            limits,
            stop,
            reload: None,
            head_interval,
        })
    }

    /// Where the main listener is.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.main.local_addr()
    }

    /// Where the admin listener is.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn admin_address(&self) -> std::io::Result<SocketAddr> {
        self.admin.local_addr()
    }

    /// Takes in changes of the policies and of the key that signs the audit log while it runs.
    #[must_use]
    pub fn with_reload(self, reload: Reload, config: &Config) -> Self {
        Self {
            reload: Some((reload, config.clone())),
            ..self
        }
    }

    /// Serves until `stop` is cancelled, and then until what runs has finished or `limits.drain-seconds` are over. Health
    /// and metrics are served to the very end.
    pub async fn run(self) -> Ended {
        let end = CancellationToken::new();
        let connections = TaskTracker::new();
        let admin = serve_admin(
            self.admin,
            self.services.admin(self.stop.clone()),
            self.limits.clone(),
            end.clone(),
        );
        let admin = connections.spawn(admin);
        let background = Background {
            tasks: &connections,
            stop: &self.stop,
            end: &end,
        };
        self.services.spawn(&background, self.head_interval);
        if let Some((reload, config)) = self.reload {
            self.services.spawn_reload(&background, reload, config);
        }
        accept(
            self.main,
            self.acceptor,
            &self.handler,
            &self.limits,
            &self.stop,
            &connections,
        )
        .await;
        info!(
            checkpoints = self.handler.running_checkpoints(),
            "stopping: no new requests, what runs may finish"
        );
        let ended = drain(
            &self.handler,
            seconds(self.limits.drain_seconds),
            self.services.abort(),
        )
        .await;
        self.services.sign_last_head().await;
        end.cancel();
        connections.close();
        // The last answers are on their way; whoever does not take them in this time does not get them.
        let _ = tokio::time::timeout(seconds(self.limits.header_seconds), connections.wait()).await;
        drop(admin);
        ended
    }
}

/// Waits for what runs. When the time is over, what still runs is recorded as cut short and its callers are told.
async fn drain(handler: &Handler, time: Duration, abort: &CancellationToken) -> Ended {
    if tokio::time::timeout(time, handler.finish()).await.is_ok() {
        return Ended::Clean;
    }
    let checkpoints = handler.running_checkpoints();
    abort.cancel();
    let _ = tokio::time::timeout(LAST_RECORDS, handler.finish()).await;
    if checkpoints == 0 {
        warn!("downloads were cut off: their callers can go on where they were");
        return Ended::Clean;
    }
    error!(
        checkpoints,
        "checkpoints were cut short: their containers may stay frozen; see the audit log"
    );
    Ended::Aborted(checkpoints)
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })
}

/// The next connection, once there is a place for it; `None` when it is time to stop.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    loop {
        let arrival = async {
            let place = Arc::clone(places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = stop.cancelled() => return None,
            (place, accepted) = arrival => match (place, accepted) {
                (Ok(place), Ok((stream, peer))) => return Some((stream, peer, place)),
                (Err(_), _) => return None,
                // Out of descriptors, or the peer went away: another one may do better, in a while.
                (Ok(_), Err(error)) => {
                    debug!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    handler: &Arc<Handler>,
    limits: &Limits,
    stop: &CancellationToken,
    connections: &TaskTracker,
) {
    let places = Arc::new(Semaphore::new(limits.connections.get()));
    while let Some((stream, peer, place)) = next(&listener, &places, stop).await {
        let (handler, acceptor, limits, stop) = (
            Arc::clone(handler),
            acceptor.clone(),
            limits.clone(),
            stop.clone(),
        );
        connections.spawn(async move {
            let _place = place;
            handler.metrics().connections.inc();
            converse(&handler, acceptor, stream, peer, &limits, &stop).await;
            handler.metrics().connections.dec();
        });
    }
}

async fn converse(
    handler: &Arc<Handler>,
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
    limits: &Limits,
    stop: &CancellationToken,
) {
    let begun = SystemTime::now();
    // Answers are small and go out whole; waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let shaken =
        tokio::time::timeout(seconds(limits.handshake_seconds), acceptor.accept(stream)).await;
    let stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return refused(handler, peer, &error.to_string()),
        Err(_) => return refused(handler, peer, "it took too long"),
    };
    let (peer, protocol) = met(&stream, peer, begun);
    let peer = Arc::new(peer);
    let answer = |request| {
        let (handler, peer) = (Arc::clone(handler), Arc::clone(&peer));
        async move { handler.answer(peer, request).await }
    };
    connection::serve(TokioIo::new(stream), protocol, limits, stop, answer).await;
}

fn refused(handler: &Handler, peer: SocketAddr, why: &str) {
    handler.metrics().handshakes_failed.inc();
    debug!(peer = %peer.ip(), why = gateway_core::one_line(why, 256), "a TLS handshake failed");
}

fn met(stream: &TlsStream<TcpStream>, peer: SocketAddr, begun: SystemTime) -> (Peer, Protocol) {
    let (_, tls) = stream.get_ref();
    let version = if tls.protocol_version() == Some(ProtocolVersion::TLSv1_3) {
        "1.3"
    } else {
        "1.2"
    };
    let protocol = if tls.alpn_protocol() == Some(b"h2") {
        Protocol::Http2
    } else {
        Protocol::Http1
    };
    let certificate = tls
        .peer_certificates()
        .and_then(|chain| chain.first())
        .map(Certificate::of);
    (
        Peer::new(
            peer,
            certificate,
            Handshake::new(begun, SystemTime::now(), version),
        ),
        protocol,
    )
}

/// Serves health and metrics until `end`.
async fn serve_admin(
    listener: TcpListener,
    answers: Admin,
    limits: Limits,
    end: CancellationToken,
) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(ADMIN_CONNECTIONS));
    while let Some((stream, _, place)) = next(&listener, &places, &end).await {
        let (answers, limits, end) = (answers.clone(), limits.clone(), end.clone());
        connections.spawn(async move {
            let _place = place;
            let answer = |request| {
                let answers = answers.clone();
                async move { answers.answer(&request).await }
            };
            connection::serve(TokioIo::new(stream), Protocol::Http1, &limits, &end, answer).await;
        });
    }
    connections.close();
    connections.wait().await;
}
