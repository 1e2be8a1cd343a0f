//! The checks behind `/readyz`. They get probes, not the parts of the gateway, so a health page can change nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The longest time that one probe may take.
const PROBE_TIME: Duration = Duration::from_secs(3);

/// Finds out whether one part of the gateway works. Fails with the reason why it does not.
pub(crate) type Probe =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Lists facts that do not make the gateway unready, and that an operator should know.
pub(crate) type Remarks = Box<dyn Fn() -> Vec<String> + Send + Sync>;

/// The parts that must work before requests can be served. Clones share the probes.
#[derive(Clone)]
pub(crate) struct Health(Arc<Probes>);

/// The probes behind [`Health`].
pub(crate) struct Probes {
    pub(crate) runtime: Probe,
    pub(crate) store: Probe,
    pub(crate) audit: Probe,
    pub(crate) remarks: Remarks,
    /// Cancelled once the gateway is stopping.
    pub(crate) stop: CancellationToken,
}

/// The result of one check.
pub(crate) struct Check {
    /// The name that `/readyz?verbose` shows.
    pub(crate) name: &'static str,
    pub(crate) result: Result<(), String>,
}

impl Health {
    pub(crate) fn new(probes: Probes) -> Self {
        Self(Arc::new(probes))
    }

    /// Runs all checks, at the same time.
    pub(crate) async fn check(&self) -> [Check; 4] {
        let Probes {
            runtime,
            store,
            audit,
            stop,
            ..
        } = &*self.0;
        let (runtime, store, audit) = tokio::join!(probe(runtime), probe(store), probe(audit));
        let stopping = if stop.is_cancelled() {
            Err("the gateway is stopping".to_owned())
        } else {
            Ok(())
        };
        [
            ("runtime", runtime),
            ("store", store),
            ("audit", audit),
            ("shutdown", stopping),
        ]
        .map(|(name, result)| Check { name, result })
    }

    /// Facts that an operator should know.
    pub(crate) fn remarks(&self) -> Vec<String> {
        (self.0.remarks)()
    }
}

async fn probe(probe: &Probe) -> Result<(), String> {
    let answer = tokio::time::timeout(PROBE_TIME, probe()).await;
    answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PROBE_TIME.as_secs())))
}
