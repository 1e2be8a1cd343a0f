//! Putting the parts together: from a configuration to two listeners, and from a signal to a clean end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway_core::RuntimeInfo;
use hyper_util::rt::TokioIo;
use rustls::ProtocolVersion;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use crate::authn::{Authenticator, Certificate, JwksError};
use crate::config::{Config, Limits, seconds};
use crate::connection::{self, Protocol};
use crate::error_chain::cause;
use crate::handler::Handler;
use crate::ids::CheckpointIds;
use crate::peer::{Handshake, Peer};
use crate::pipeline::Context;
use crate::policies::{self, InForce};
use crate::reload::{Reload, follow};
use crate::telemetry::{self, Metrics, Telemetry};
use crate::{admin, audit_keys, retention, shadow, tls};

/// How long the outcomes of what was cut short may take to be recorded.
const LAST_RECORDS: Duration = Duration::from_secs(5);
/// Connections at once on the admin listener.
const ADMIN_CONNECTIONS: usize = 32;

/// Why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The TLS of the main listener.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The keys of an issuer.
    #[error(transparent)]
    Jwks(#[from] JwksError),
    /// The container runtime's socket.
    #[error(transparent)]
    Runtime(#[from] gateway_cri::Error),
    /// The folder of the checkpoints.
    #[error(transparent)]
    Archive(#[from] gateway_archive::Error),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] gateway_audit::Error),
    /// The policies.
    #[error(transparent)]
    Policies(#[from] policies::Error),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// How the gateway ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every checkpoint that was running has finished.
    Clean,
    /// `limits.drain-seconds` were over while so many checkpoints still ran. Their containers may stay frozen.
    CutShort(usize),
}

/// A gateway that is ready to run.
pub struct Gateway {
    handler: Arc<Handler>,
    cx: Context,
    acceptor: TlsAcceptor,
    main: TcpListener,
    admin: TcpListener,
    limits: Limits,
    stop: CancellationToken,
    reload: Option<(Reload, Config)>,
    /// How often the audit log is signed, where there is a key.
    head: Duration,
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
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        Self::start_with(config, telemetry, stop, Arc::new(telemetry::inject)).await
    }

    /// The same with another way to tell the runtime of the trace, for tests in which it breaks.
    ///
    /// # Errors
    /// As [`Gateway::start`].
    #[doc(hidden)]
    pub async fn start_with(
        config: &Config,
        telemetry: &Telemetry,
        stop: CancellationToken,
        propagate: gateway_cri::Propagate,
    ) -> Result<Self, StartError> {
        let mut tls = tls::server_config(&config.tls)?;
        tls.ignore_client_order = true;
        let authenticator = Authenticator::new(&config.issuers)?;
        let cx = context(config, telemetry, propagate)?;
        let handler = Arc::new(Handler::new(
            cx.clone(),
            authenticator,
            config,
            stop.clone(),
        ));
        let main = bind(config.listen.address).await?;
        let admin = bind(config.listen.admin_address).await?;
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let (limits, head) = (config.limits.clone(), seconds(config.audit.head_seconds));
        Ok(Self {
            handler,
            cx,
            acceptor,
            main,
            admin,
            limits,
            stop,
            reload: None,
            head,
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
            self.cx.clone(),
            self.limits.clone(),
            self.stop.clone(),
            end.clone(),
        );
        let admin = connections.spawn(admin);
        connections.spawn(introduce(self.cx.runtime.clone()));
        connections.spawn(retention::follow(self.cx.clone(), self.stop.clone()));
        connections.spawn(shadow::follow(self.cx.clone(), end.clone()));
        connections.spawn(audit_keys::follow(
            self.cx.clone(),
            self.head,
            self.stop.clone(),
        ));
        if let Some((reload, config)) = self.reload {
            let (cx, stop) = (self.cx.clone(), self.stop.clone());
            connections.spawn(async move { follow(reload, cx, &config, stop).await });
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
            checkpoints = self.handler.under_way(),
            "stopping: no new requests, what runs may finish"
        );
        let ended = drain(
            &self.handler,
            seconds(self.limits.drain_seconds),
            &self.cx.cut,
        )
        .await;
        audit_keys::seal(&self.cx).await;
        end.cancel();
        connections.close();
        // The last answers are on their way; whoever does not take them in this time does not get them.
        let _ = tokio::time::timeout(seconds(self.limits.header_seconds), connections.wait()).await;
        drop(admin);
        ended
    }
}

/// Waits for what runs. When the time is over, what still runs is recorded as cut short and its callers are told.
async fn drain(handler: &Handler, time: Duration, cut: &CancellationToken) -> Ended {
    if tokio::time::timeout(time, handler.finish()).await.is_ok() {
        return Ended::Clean;
    }
    let checkpoints = handler.under_way();
    cut.cancel();
    let _ = tokio::time::timeout(LAST_RECORDS, handler.finish()).await;
    if checkpoints == 0 {
        warn!("downloads were cut off: their callers can go on where they were");
        return Ended::Clean;
    }
    error!(
        checkpoints,
        "checkpoints were cut short: their containers may stay frozen; see the audit log"
    );
    Ended::CutShort(checkpoints)
}

fn context(
    config: &Config,
    telemetry: &Telemetry,
    propagate: gateway_cri::Propagate,
) -> Result<Context, StartError> {
    let (store, cleaned) = gateway_archive::Store::open(store_settings(config)?)?;
    for left in cleaned {
        warn!(path = %left.path.display(), bytes = left.bytes, what = left.what.as_str(), "removed what a crash had left");
    }
    let newest = store
        .list(&gateway_archive::Filter::default(), None, 1)?
        .checkpoints
        .pop();
    let socket = gateway_cri::find(config.runtime.socket.as_deref(), &gateway_cri::WELL_KNOWN)?;
    let limits = gateway_cri::Limits {
        running: config.runtime.running.get(),
        waiting: config.runtime.waiting,
        waiting_per_container: config.runtime.waiting_per_container,
    };
    let metrics = Arc::new(Metrics::new(telemetry.exports()));
    Ok(Context {
        runtime: gateway_cri::Runtime::new(&socket, limits, propagate),
        policies: Arc::new(InForce::load(config, Arc::clone(&metrics))?),
        store,
        ids: Arc::new(CheckpointIds::behind(newest.map(|newest| newest.id))),
        redaction: redaction(config),
        audit: audit_keys::open(&config.audit, telemetry.observer())?,
        metrics,
        cut: CancellationToken::new(),
    })
}

fn redaction(config: &Config) -> gateway_redact::RedactionSettings {
    let settings = &config.redaction;
    gateway_redact::RedactionSettings {
        mask: settings.mask,
        min_value_length: settings.min_value_length.get(),
        ..Default::default()
    }
}

/// Says who the runtime is, for whoever reads the log later.
async fn introduce(runtime: gateway_cri::Runtime) {
    let socket = runtime.socket().display().to_string();
    match runtime.info().await {
        Ok(RuntimeInfo { name, version }) => {
            info!(name, version, socket, "found the container runtime")
        }
        Err(error) => warn!(
            socket,
            cause = cause(&error),
            "the container runtime does not answer yet"
        ),
    }
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

/// `stop` is what `/readyz` tells of; `end` is when this listener itself stops.
async fn serve_admin(
    listener: TcpListener,
    cx: Context,
    limits: Limits,
    stop: CancellationToken,
    end: CancellationToken,
) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(ADMIN_CONNECTIONS));
    while let Some((stream, _, place)) = next(&listener, &places, &end).await {
        let (cx, limits, stop, end) = (cx.clone(), limits.clone(), stop.clone(), end.clone());
        connections.spawn(async move {
            let _place = place;
            let answer = |request| {
                let (cx, stop) = (cx.clone(), stop.clone());
                async move { admin::answer(&cx, &stop, &request).await }
            };
            connection::serve(TokioIo::new(stream), Protocol::Http1, &limits, &end, answer).await;
        });
    }
    connections.close();
    connections.wait().await;
}

fn store_settings(config: &Config) -> Result<gateway_archive::Settings, StartError> {
    let checkpoints = &config.checkpoints;
    Ok(gateway_archive::Settings {
        transport: checkpoints.transport,
        min_free_bytes: checkpoints.min_free_bytes,
        max_bytes: Some(checkpoints.max_bytes).filter(|bytes| *bytes > 0),
        quota: config.quota.quota(),
        original: config.originals.keep()?,
        ..gateway_archive::Settings::new(checkpoints.directory.clone())
    })
}
