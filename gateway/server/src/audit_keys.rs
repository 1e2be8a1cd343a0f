//! The audit log's files, keys and heads.

use std::path::Path;
use std::time::Duration;

use gateway_audit::{Error, Log, Observer, Recovered, Settings, Signing};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::config::Audit;
use crate::error_chain::cause;
use crate::pipeline::Context;

/// Opens the audit log, which tells `observer` of its lines, and says what a crash left in it.
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

/// What `[audit]` says, with the keys that it names.
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

/// The file of the key that signs, if there is one.
pub(crate) fn key(config: &Audit) -> Option<&Path> {
    named(&config.key_file)
}

/// Signs the audit log again and again until `stop`, where it has a key then.
pub(crate) async fn follow(cx: Context, every: Duration, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => seal(&cx).await,
        }
    }
}

/// Signs what no head covers yet, where there is a key.
pub(crate) async fn seal(cx: &Context) {
    if let Err(error) = cx.audit.sign_head().await {
        cx.metrics.audit_failures.inc();
        warn!(
            cause = cause(&error),
            "could not sign the audit log's tree head; will retry"
        );
    }
}

/// A file that an empty path does not name.
fn named(path: &Path) -> Option<&Path> {
    (path != Path::new("")).then_some(path)
}
