//! Opens the audit log with the keys that the configuration names, and signs its tree heads.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gateway_audit::{Error, Log, Observer, Recovered, Settings, Signing};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::config::Audit;
use crate::error_chain::cause;
use crate::telemetry::Metrics;

/// Opens the audit log, whose durable lines go to `observer`, and logs what a crash had left in it.
pub(crate) fn open(config: &Audit, observer: Option<Box<dyn Observer>>) -> Result<Log, Error> {
    let log = Log::open_with(
        &config.file,
        Settings {
            observer,
            ..settings(config)?
        },
    )?;
    let Recovered {
        truncated_bytes,
        unknown_outcomes,
        unwritten_outcomes,
    } = log.recovered();
    if (truncated_bytes, unknown_outcomes) != (0, 0) {
        warn!(
            truncated_bytes,
            unknown_outcomes,
            "the audit log was not closed cleanly: removed an incomplete last line, recorded open intents as unknown"
        );
    }
    if unwritten_outcomes != 0 {
        warn!(
            unwritten_outcomes,
            "the audit log cannot be written yet: requests are refused until it can"
        );
    }
    Ok(log)
}

/// The log's settings from `[audit]`, with the keys that it names.
pub(crate) fn settings(config: &Audit) -> Result<Settings, Error> {
    Ok(Settings {
        segment_bytes: config.segment_bytes,
        signing: signing(config)?,
        observer: None,
    })
}

/// The keys that `[audit]` names, if it names any.
pub(crate) fn signing(config: &Audit) -> Result<Option<Signing>, Error> {
    let read = |key| {
        Signing::read(
            key,
            named(&config.previous_key_file),
            config.head_records.into(),
        )
    };
    key(config).map(read).transpose()
}

/// The file of the signing key, if there is one.
pub(crate) fn key(config: &Audit) -> Option<&Path> {
    named(&config.key_file)
}

/// Signs the audit log's tree heads, and changes the key that signs them.
#[derive(Clone)]
pub(crate) struct AuditSigner {
    log: Log,
    metrics: Arc<Metrics>,
}

impl AuditSigner {
    pub(crate) fn new(log: Log, metrics: Arc<Metrics>) -> Self {
        Self { log, metrics }
    }

    /// Signs a tree head every so often until `stop`, where the log has a key then.
    pub(crate) async fn run(self, interval: Duration, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(interval) => self.sign_head().await,
            }
        }
    }

    /// Signs the records that no tree head covers yet, where there is a key.
    pub(crate) async fn sign_head(&self) {
        if let Err(error) = self.log.sign_head().await {
            self.metrics.audit_failures.inc();
            warn!(
                cause = cause(&error),
                "could not sign the audit log's tree head; will retry"
            );
        }
    }

    /// Changes the key that signs. Returns whether it is another one; the change is on record then.
    ///
    /// # Errors
    /// The key did not change.
    pub(crate) async fn change_key(&self, signing: Option<Signing>) -> Result<bool, Error> {
        self.log.change_key(signing).await
    }
}

/// `path`, unless it is empty.
fn named(path: &Path) -> Option<&Path> {
    (path != Path::new("")).then_some(path)
}
