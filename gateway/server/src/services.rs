//! Assembles the parts of the gateway from a configuration, and hands each the parts that it uses.

use std::sync::Arc;
use std::time::Duration;

use gateway_archive::{Filter, Store};
use gateway_core::CheckpointId;
use gateway_cri::Runtime;
use gateway_redact::{CredentialSettings, RedactionSettings, TextMasker};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::access::Access;
use crate::admin::Admin;
use crate::audit_keys::{self, AuditSigner};
use crate::audit_writer::AuditWriter;
use crate::authn::Authenticator;
use crate::checkpoint_ids::CheckpointIds;
use crate::checkpoint_task::CheckpointTasks;
use crate::config::Config;
use crate::error_chain::cause;
use crate::handler::{Handler, HandlerParts};
use crate::health::{Health, Probes};
use crate::pipeline::Pipeline;
use crate::policies::{ActivePolicies, ShadowRecords};
use crate::reload::{Reload, Reloader};
use crate::removals::RemovalRecords;
use crate::retention;
use crate::start_error::StartError;
use crate::telemetry::{Metrics, Telemetry};

/// The parts of a gateway. Only this file has all of them.
pub(crate) struct Services {
    runtime: Runtime,
    policies: Arc<ActivePolicies>,
    store: Store,
    newest: Option<CheckpointId>,
    redaction: RedactionSettings,
    log: gateway_audit::Log,
    audit: AuditWriter,
    metrics: Arc<Metrics>,
    abort: CancellationToken,
}

/// The tasks that run beside the requests, and the tokens that end them.
pub(crate) struct Background<'a> {
    pub(crate) tasks: &'a TaskTracker,
    /// Cancelled once the gateway is stopping.
    pub(crate) stop: &'a CancellationToken,
    /// Cancelled at the very end, when no request runs any more.
    pub(crate) end: &'a CancellationToken,
}

impl Services {
    /// Opens the store, the audit log and the policies, and finds the runtime's socket. Removes what a crash had left.
    pub(crate) fn open(
        config: &Config,
        telemetry: &Telemetry,
        propagate: gateway_cri::Propagate,
    ) -> Result<Self, StartError> {
        TextMasker::prepare();
        let store = open_store(config)?;
        let newest = store.list(&Filter::default(), None, 1)?.checkpoints.pop();
        let runtime = connect(config, propagate)?;
        let metrics = Arc::new(Metrics::new(telemetry.exports()));
        let policies = Arc::new(ActivePolicies::load(config, Arc::clone(&metrics))?);
        let log = audit_keys::open(&config.audit, telemetry.observer())?;
        Ok(Self {
            runtime,
            policies,
            store,
            newest: newest.map(|checkpoint| checkpoint.id),
            redaction: redaction_settings(config)?,
            audit: AuditWriter::new(log.clone(), Arc::clone(&metrics)),
            log,
            metrics,
            abort: CancellationToken::new(),
        })
    }

    /// Cancelled when the gateway cannot wait for running checkpoints and downloads any longer.
    pub(crate) fn abort(&self) -> &CancellationToken {
        &self.abort
    }

    /// The handler of the main listener.
    pub(crate) fn handler(
        &self,
        authenticator: Authenticator,
        config: &Config,
        stop: CancellationToken,
    ) -> Handler {
        let pipeline = Pipeline::new(
            self.runtime.clone(),
            Arc::clone(&self.policies),
            self.store.clone(),
            self.redaction.clone(),
            config.redaction.last_applied_configuration,
            self.audit.clone(),
            Arc::clone(&self.metrics),
        );
        let access = Access::new(
            self.store.clone(),
            self.redaction.clone(),
            Arc::clone(&self.policies),
            self.audit.clone(),
            Arc::clone(&self.metrics),
            self.abort.clone(),
        );
        let (audit, abort) = (self.audit.clone(), self.abort.clone());
        let parts = HandlerParts {
            authenticator,
            checkpoints: CheckpointTasks::new(pipeline, audit.clone(), abort),
            checkpoint_ids: CheckpointIds::after(self.newest),
            access,
            audit,
            metrics: Arc::clone(&self.metrics),
        };
        Handler::new(parts, config, stop)
    }

    /// The admin listener's answers. They get probes, none of which can change anything.
    pub(crate) fn admin(&self, stop: CancellationToken) -> Admin {
        let runtime = self.runtime.clone();
        let store = self.store.clone();
        let log = self.log.clone();
        let policies = Arc::clone(&self.policies);
        let health = Health::new(Probes {
            runtime: Box::new(move || {
                let runtime = runtime.clone();
                Box::pin(async move { runtime.ready().await.map_err(|error| cause(&error)) })
            }),
            store: Box::new(move || {
                let probed = store.probe().map_err(|error| cause(&error));
                Box::pin(std::future::ready(probed))
            }),
            audit: Box::new(move || {
                let log = log.clone();
                Box::pin(async move { log.check_writable().await.map_err(|error| cause(&error)) })
            }),
            remarks: Box::new(move || policies.remarks()),
            stop,
        });
        Admin::new(health, Arc::clone(&self.metrics))
    }

    /// Starts the tasks that run beside the requests.
    pub(crate) fn spawn(&self, background: &Background<'_>, head_interval: Duration) {
        let Background { tasks, stop, end } = background;
        tasks.spawn(log_runtime(self.runtime.clone()));
        let store = self.store.clone();
        let remove_expired = Arc::new(move |now| store.retain(now));
        let removals = self.removals();
        tasks.spawn(retention::run(remove_expired, removals, (*stop).clone()));
        let records = ShadowRecords::new(self.audit.clone(), Arc::clone(&self.metrics));
        let (policies, end) = (Arc::clone(&self.policies), (*end).clone());
        tasks.spawn(async move { policies.shadow().run(records, end).await });
        tasks.spawn(self.signer().run(head_interval, (*stop).clone()));
    }

    /// Starts the task that reloads policies and the audit log's key.
    pub(crate) fn spawn_reload(&self, background: &Background<'_>, reload: Reload, config: Config) {
        let reloader = Reloader {
            reload,
            policies: Arc::clone(&self.policies),
            signer: self.signer(),
        };
        let stop = background.stop.clone();
        background.tasks.spawn(reloader.run(config, stop));
    }

    /// Signs the last records of the audit log.
    pub(crate) async fn sign_last_head(&self) {
        self.signer().sign_head().await;
    }

    fn signer(&self) -> AuditSigner {
        AuditSigner::new(self.log.clone(), Arc::clone(&self.metrics))
    }

    fn removals(&self) -> RemovalRecords {
        RemovalRecords::new(self.audit.clone(), Arc::clone(&self.metrics))
    }
}

fn open_store(config: &Config) -> Result<Store, StartError> {
    let checkpoints = &config.checkpoints;
    let settings = gateway_archive::Settings {
        transport: checkpoints.transport,
        min_free_bytes: checkpoints.min_free_bytes,
        max_bytes: Some(checkpoints.max_bytes).filter(|bytes| *bytes > 0),
        quota: config.quota.quota(),
        original: config.originals.keep()?,
        ..gateway_archive::Settings::new(checkpoints.directory.clone())
    };
    let (store, cleaned) = Store::open(settings)?;
    for left in cleaned {
        warn!(path = %left.path.display(), bytes = left.bytes, what = left.kind.as_str(), "removed what a crash had left");
    }
    Ok(store)
}

fn connect(config: &Config, propagate: gateway_cri::Propagate) -> Result<Runtime, StartError> {
    let socket = gateway_cri::find(config.runtime.socket.as_deref(), &gateway_cri::WELL_KNOWN)?;
    let limits = gateway_cri::Limits {
        running: config.runtime.running.get(),
        waiting: config.runtime.waiting,
        waiting_per_container: config.runtime.waiting_per_container,
    };
    Ok(Runtime::new(&socket, limits, propagate))
}

fn redaction_settings(config: &Config) -> Result<RedactionSettings, StartError> {
    let settings = &config.redaction;
    let key = settings.fingerprint_key.as_deref();
    let key = key.filter(|_| settings.credentials);
    let fingerprint = key.map(gateway_archive::fingerprints).transpose()?;
    let credentials = settings.credentials;
    Ok(RedactionSettings {
        credentials: credentials.then(|| CredentialSettings::new(fingerprint)),
        mask: settings.mask,
        min_value_length: settings.min_value_length.get(),
        opaque: settings.opaque,
        paths: settings.paths,
        common_values: settings.common_values.into(),
        ..Default::default()
    })
}

/// Logs the runtime's name and version once.
async fn log_runtime(runtime: Runtime) {
    let socket = runtime.socket().display().to_string();
    match runtime.info().await {
        Ok(info) => {
            let (name, version) = (info.name, info.version);
            info!(name, version, socket, "found the container runtime");
        }
        Err(error) => warn!(
            socket,
            cause = cause(&error),
            "the container runtime does not answer yet"
        ),
    }
}
