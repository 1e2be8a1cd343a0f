//! Shadow policies: candidates that are asked about real requests after the real decision, and never obeyed. Differences are
//! counted, logged and recorded.

mod candidate;
mod observation;
mod records;

use std::sync::Arc;

use gateway_core::Request;
use gateway_policy::{Cache, Evaluation, Policies};
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::Error;
use crate::config::Config;
use crate::hidden_fields::HiddenFields;
use crate::request_ids::RequestIds;
use crate::telemetry::Metrics;

pub(super) use candidate::Candidate;
use observation::ShadowObservation;
pub(crate) use records::ShadowRecords;

/// The shadow policies, and the queue of requests that they are asked about.
pub(crate) struct Shadow {
    /// Absent where none are configured.
    candidate: RwLock<Option<Candidate>>,
    sender: Sender<ShadowObservation>,
    receiver: Mutex<Option<Receiver<ShadowObservation>>>,
    metrics: Arc<Metrics>,
}

impl Shadow {
    /// Loads the candidate of `config`, where it has one. The queue's length does not change while the gateway runs.
    pub(super) fn load(
        config: &Config,
        generation: u64,
        cache: Option<&Cache>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::channel(config.shadow.waiting.get());
        Ok(Self {
            candidate: RwLock::new(Candidate::load(config, generation, cache, None)?),
            sender,
            receiver: Mutex::new(Some(receiver)),
            metrics,
        })
    }

    /// Loads the candidate of a new configuration, where it has one. Compiles, so it blocks.
    pub(super) fn prepare(
        &self,
        config: &Config,
        generation: u64,
        cache: Option<&Cache>,
    ) -> Result<Option<Candidate>, Error> {
        let engine = self.candidate.read().as_ref().map(Candidate::engine);
        Candidate::load(config, generation, cache, engine)
    }

    /// Replaces the candidate.
    pub(super) fn activate(&self, candidate: Option<Candidate>) {
        *self.candidate.write() = candidate;
    }

    /// Queues a request for the candidate, if there is one. A full queue leaves it out and counts it: no caller waits for
    /// shadow policies.
    pub(crate) fn offer(
        &self,
        ids: RequestIds,
        hidden: &HiddenFields,
        request: &Request,
        decided: Evaluation,
    ) {
        // Without verdicts nothing was decided.
        if self.policies().is_none() || decided.verdicts.is_empty() {
            return;
        }
        let observation = ShadowObservation {
            ids,
            hidden: hidden.clone(),
            request: request.clone(),
            decided,
        };
        if self.sender.try_send(observation).is_err() {
            self.metrics.shadow_dropped.inc();
        }
    }

    /// Asks the candidate about the queued requests, one after another, until `stop`. Returns at once where it runs already.
    pub(crate) async fn run(&self, records: ShadowRecords, stop: CancellationToken) {
        let receiver = self.receiver.lock().take();
        let Some(mut receiver) = receiver else { return };
        loop {
            let observation = tokio::select! {
                () = stop.cancelled() => return,
                observation = receiver.recv() => observation,
            };
            let (Some(observation), Some(policies)) = (observation, self.policies()) else {
                continue;
            };
            let asking = tokio::task::spawn_blocking(move || {
                (policies.evaluate(&observation.request), observation)
            });
            if let Ok((candidate, observation)) = asking.await {
                records.record(observation, candidate).await;
            } else {
                error!("asking the shadow policies broke off");
            }
        }
    }

    fn policies(&self) -> Option<Arc<Policies>> {
        self.candidate.read().as_ref().map(Candidate::policies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::{Decision, Verdict};

    const CONFIG: &str =
        "[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient-ca = \"c\"\n[shadow]\nwaiting = 2\n";

    fn waiting(config: &str) -> (usize, String) {
        let config = Config::parse(
            config,
            std::path::Path::new("config.toml"),
            &crate::config::Environment::default(),
        )
        .unwrap();
        let metrics = Arc::new(Metrics::new(crate::telemetry::Exports::default()));
        let shadow = Shadow::load(&config, 1, None, Arc::clone(&metrics)).unwrap();
        let request: Request = serde_json::from_str(include_str!(
            "../../../../../policies/sdk/default-request.json"
        ))
        .unwrap();
        let was = Evaluation {
            verdicts: vec![Verdict::of("p", Decision::Allow)],
            ..Evaluation::default()
        };
        let ids = RequestIds::without_trace();
        for _ in 0..5 {
            shadow.offer(ids, &HiddenFields::default(), &request, was.clone());
        }
        let waiting = shadow.receiver.lock().as_ref().unwrap().len();
        (waiting, metrics.encode())
    }

    #[test]
    fn leaves_out_and_counts_what_does_not_fit_into_the_queue() {
        let (waiting, metrics) = waiting(&format!("{CONFIG}[[shadow.allow]]\nusers = [\"ada\"]\n"));
        assert_eq!(waiting, 2);
        assert!(
            metrics.contains("checkpoint_gateway_shadow_dropped_total 3\n"),
            "{metrics}"
        );
    }

    #[test]
    fn queues_nothing_without_a_candidate() {
        let (waiting, metrics) = waiting(CONFIG);
        assert_eq!(waiting, 0);
        assert!(
            metrics.contains("checkpoint_gateway_shadow_dropped_total 0\n"),
            "{metrics}"
        );
    }
}
