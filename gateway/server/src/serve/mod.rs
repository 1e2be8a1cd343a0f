//! The gateway as a whole: starts its parts, serves until it is told to stop, and drains.

mod admin_listener;
mod drain;
mod folders;
mod listener;
mod main_listener;

pub use drain::Ended;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::authn::Authenticator;
use crate::config::{Config, Limits, seconds};
use crate::handler::Handler;
use crate::reload::Reload;
use crate::services::{Background, Services};
use crate::start_error::StartError;
use crate::telemetry::Telemetry;
use crate::tls;

use admin_listener::AdminListener;
use listener::Listener;
use main_listener::MainListener;

/// A gateway that is ready to run.
pub struct Gateway {
    handler: Arc<Handler>,
    services: Services,
    acceptor: TlsAcceptor,
    main: Listener,
    admin: Listener,
    limits: Limits,
    stop: CancellationToken,
    reload: Option<(Reload, Config)>,
    /// How often the audit log is signed, if it has a key.
    head_interval: Duration,
}

impl Gateway {
    /// Creates missing folders, reads the files that `config` names, removes leftovers of a crash, and binds the addresses.
    /// Requests are served by [`Gateway::run`].
    ///
    /// # Errors
    /// If a part cannot do its work. A runtime that does not answer yet is not an error: `/readyz` reports it.
    pub async fn start(
        config: &Config,
        telemetry: &Telemetry,
        propagate: gateway_cri::Propagate,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let mut tls = tls::server_config(&config.tls)?;
        tls.ignore_client_order = true;
        let authenticator = Authenticator::new(&config.issuers)?;
        folders::create_missing(config)?;
        let services = Services::open(config, telemetry, propagate)?;
        let handler = services.handler(authenticator, config, stop.clone());
        let listen = &config.listen;
        Ok(Self {
            handler: Arc::new(handler),
            services,
            acceptor: TlsAcceptor::from(Arc::new(tls)),
            main: bind(listen.address, config.limits.connections.get()).await?,
            admin: bind(listen.admin_address, admin_listener::CONNECTIONS).await?,
            limits: config.limits.clone(),
            stop,
            reload: None,
            head_interval: seconds(config.audit.head_seconds),
        })
    }

    /// The main listener's address.
    ///
    /// # Errors
    /// If the system does not give it.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.main.address()
    }

    /// The admin listener's address.
    ///
    /// # Errors
    /// If the system does not give it.
    pub fn admin_address(&self) -> std::io::Result<SocketAddr> {
        self.admin.address()
    }

    /// Applies changes of the policies and of the key that signs the audit log while the gateway runs.
    #[must_use]
    pub fn with_reload(self, reload: Reload, config: &Config) -> Self {
        Self {
            reload: Some((reload, config.clone())),
            ..self
        }
    }

    /// Serves until `stop` is cancelled, and then until everything that runs has finished or `limits.drain-seconds` have
    /// passed. Health and metrics are served to the very end.
    pub async fn run(self) -> Ended {
        let end = CancellationToken::new();
        let tasks = TaskTracker::new();
        let background = Background {
            tasks: &tasks,
            stop: &self.stop,
            end: &end,
        };
        self.services.spawn(&background, self.head_interval);
        if let Some((reload, config)) = self.reload {
            self.services.spawn_reload(&background, reload, config);
        }
        let admin = AdminListener {
            answers: self.services.admin(self.stop.clone()),
            limits: self.limits.clone(),
            end: end.clone(),
        };
        tasks.spawn(admin.accept(self.admin));
        let main = MainListener {
            handler: Arc::clone(&self.handler),
            acceptor: self.acceptor,
            limits: self.limits.clone(),
            stop: self.stop,
        };
        main.accept(self.main, &tasks).await;
        info!(
            checkpoints = self.handler.running_checkpoints(),
            "stopping: no new requests; running checkpoints may finish"
        );
        let time = seconds(self.limits.drain_seconds);
        let ended = drain::drain(&self.handler, time, self.services.abort()).await;
        self.services.sign_last_head().await;
        end.cancel();
        tasks.close();
        // Callers that have not read their answer by then do not get it.
        let _ = tokio::time::timeout(seconds(self.limits.header_seconds), tasks.wait()).await;
        ended
    }
}

async fn bind(address: SocketAddr, connections: usize) -> Result<Listener, StartError> {
    Listener::bind(address, connections)
        .await
        .map_err(|source| StartError::Listen { address, source })
}
