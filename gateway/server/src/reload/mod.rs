//! Reloads the policies and the audit log's key without a restart: on SIGHUP, and when a file changes.

mod fingerprints;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::audit_keys::{self, AuditSigner};
use crate::config::{Config, ConfigError};
use crate::error_chain::cause;
use crate::policies::{ActivePolicies, Prepared};

use fingerprints::Fingerprints;
use watch::Watch;

/// The configuration that a running gateway reloads.
pub struct Reload {
    /// Reads the configuration.
    pub read: Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>,
    /// The configuration's file. Its folder is watched, and those of the policies and of the audit log's key.
    pub file: PathBuf,
    /// Notified when an operator asks for a reload (SIGHUP).
    pub asked: Arc<Notify>,
}

/// Reloads into the active policies and the audit log's signer.
pub(crate) struct Reloader {
    pub(crate) reload: Reload,
    pub(crate) policies: Arc<ActivePolicies>,
    pub(crate) signer: AuditSigner,
}

impl Reloader {
    /// Reloads on every change until `stop`. `config` is the configuration of the start.
    pub(crate) async fn run(self, config: Config, stop: CancellationToken) {
        let reloader = Arc::new(self);
        let mut watch = Watch::new();
        let start = reloader.files(&config);
        watch.add(&start);
        let mut seen = Fingerprints::of(start);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = reloader.reload.asked.notified() => {}
                () = watch.changed() => {
                    watch.settle().await;
                    // Other files live in these folders, too.
                    if seen.again() == seen {
                        continue;
                    }
                }
            }
            // Before the files are read: a change after that is seen as one.
            seen = seen.again();
            if let Some(config) = reloader.reload().await {
                let files = reloader.files(&config);
                watch.add(&files);
                seen = seen.carried_over_to(files);
            }
        }
    }

    /// Loads and activates the new configuration; one with a mistake is rejected and changes nothing.
    async fn reload(self: &Arc<Self>) -> Option<Config> {
        match self.prepare().await {
            Ok((config, policies)) => {
                self.policies.activate(policies);
                Some(config)
            }
            Err(reason) => {
                self.policies.reject(&reason);
                None
            }
        }
    }

    /// Loads the new policies, and then changes the key: that comes last, since its change is on record at once.
    async fn prepare(self: &Arc<Self>) -> Result<(Config, Prepared), String> {
        let reloader = Arc::clone(self);
        let loading = tokio::task::spawn_blocking(move || {
            let config = (reloader.reload.read)().map_err(|error| cause(&error))?;
            let policies = reloader.policies.prepare(&config);
            let policies = policies.map_err(|error| cause(&error))?;
            let signing = audit_keys::signing(&config.audit).map_err(|error| cause(&error))?;
            Ok((config, policies, signing))
        });
        let loaded = loading.await;
        let loaded = loaded.unwrap_or_else(|_| Err("loading it broke off".to_owned()));
        let (config, policies, signing) = loaded?;
        let key = signing
            .as_ref()
            .map_or("none", |signing| signing.key.public().id())
            .to_owned();
        let changed = self.signer.change_key(signing).await;
        if changed.map_err(|error| cause(&error))? {
            info!(key, "the key that signs the audit log has changed");
        }
        Ok((config, policies))
    }

    /// The files to watch.
    fn files(&self, config: &Config) -> Vec<PathBuf> {
        let policies = config.policies.iter().chain(&config.shadow.policies);
        let key = audit_keys::key(&config.audit).map(Path::to_path_buf);
        policies
            .map(|policy| policy.file.clone())
            .chain(key)
            .chain([self.reload.file.clone()])
            .collect()
    }
}
