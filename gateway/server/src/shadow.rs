//! Policies that are only tried out: they are asked about real requests after the real decision, off the request's path, and
//! where they differ, that is counted, logged and recorded. Nobody obeys them.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use gateway_core::{Decision, Event, PlanRecord, Record, Request, RequestId, TraceId, Verdict};
use gateway_policy::{Cache, Engine, Evaluation, Policies};
use jiff::Timestamp;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::audit_records::{self, Subject};
use crate::config::Config;
use crate::error_chain::cause;
use crate::hidden_fields::Hidden;
use crate::pipeline::Context;
use crate::policies::Error;
use crate::telemetry::Metrics;

/// A request, and what was decided of it.
#[derive(Debug)]
pub(crate) struct Seen {
    request_id: RequestId,
    trace_id: Option<TraceId>,
    hidden: Hidden,
    request: Request,
    was: Evaluation,
}

/// The policies that are tried out, and the requests that wait for them.
pub(crate) struct Shadow {
    /// Absent where none are configured.
    candidate: RwLock<Option<Candidate>>,
    to: Sender<Seen>,
    from: Mutex<Option<Receiver<Seen>>>,
    metrics: Arc<Metrics>,
}

/// What is tried out.
pub(crate) struct Candidate {
    policies: Arc<Policies>,
    /// Not the engine of those in force: whoever is tried out takes no place from them.
    engine: Engine,
}

impl Shadow {
    /// With the candidate of `config`, where it has one. How many requests may wait does not change while the gateway runs.
    pub(crate) fn load(
        config: &Config,
        generation: u64,
        cache: Option<&Cache>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let (to, from) = mpsc::channel(config.shadow.waiting.get());
        let shadow = Self {
            candidate: RwLock::default(),
            to,
            from: Mutex::new(Some(from)),
            metrics,
        };
        shadow.take(shadow.prepare(config, generation, cache)?);
        Ok(shadow)
    }

    /// Loads the candidate of `config`, where it has one. Compiles, so it blocks.
    pub(crate) fn prepare(
        &self,
        config: &Config,
        generation: u64,
        cache: Option<&Cache>,
    ) -> Result<Option<Candidate>, Error> {
        let wanted = &config.shadow;
        if wanted.allow.is_empty() && wanted.policies.is_empty() {
            return Ok(None);
        }
        let engine = self.engine(config)?;
        let (rules, specs) = (wanted.allow.clone(), wanted.policies.clone());
        let policies = Arc::new(Policies::configured(
            generation, rules, specs, &engine, cache,
        ));
        for (policy, fault) in policies.broken() {
            warn!(policy, code = fault.code(), cause = %fault, "a policy in the shadow cannot be loaded; it would deny what it is bound to");
        }
        Ok(Some(Candidate { policies, engine }))
    }

    /// Takes it in place of the one before.
    pub(crate) fn take(&self, candidate: Option<Candidate>) {
        *self
            .candidate
            .write()
            .unwrap_or_else(PoisonError::into_inner) = candidate;
    }

    fn engine(&self, config: &Config) -> Result<Engine, Error> {
        let candidate = self
            .candidate
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(Candidate { engine, .. }) = candidate.as_ref() {
            return Ok(engine.clone());
        }
        let engine = Engine::new(1, config.policy_engine.memory_bytes.get());
        engine.map_err(|error| Error::Engine(format!("{error:#}")))
    }

    /// Shows a request to the candidate, if there is one, later. Where too many wait, it is left out and counted: whoever
    /// asks never waits for what is only tried out.
    pub(crate) fn offer(&self, subject: &Subject, request: &Request, was: Evaluation) {
        // Without verdicts nothing was decided.
        if self.now().is_none() || was.verdicts.is_empty() {
            return;
        }
        let seen = Seen {
            request_id: subject.request_id,
            trace_id: subject.trace_id,
            hidden: subject.hidden.clone(),
            request: request.clone(),
            was,
        };
        if self.to.try_send(seen).is_err() {
            self.metrics.shadow_dropped.inc();
        }
    }

    fn now(&self) -> Option<Arc<Policies>> {
        let candidate = self
            .candidate
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        candidate
            .as_ref()
            .map(|candidate| Arc::clone(&candidate.policies))
    }
}

/// Asks the candidate about what was seen, one after another, until `end`.
pub(crate) async fn follow(cx: Context, end: CancellationToken) {
    let shadow = cx.policies.shadow();
    let from = shadow
        .from
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(mut from) = from else { return };
    loop {
        let seen = tokio::select! {
            () = end.cancelled() => return,
            seen = from.recv() => seen,
        };
        let (Some(seen), Some(policies)) = (seen, shadow.now()) else {
            continue;
        };
        let judging = tokio::task::spawn_blocking(move || (policies.evaluate(&seen.request), seen));
        if let Ok((now, seen)) = judging.await {
            compare(&cx, seen, now).await;
        } else {
            error!("asking the policies in the shadow broke off");
        }
    }
}

async fn compare(cx: &Context, seen: Seen, now: Evaluation) {
    let difference = seen.was.difference(&now);
    let result = match difference {
        // That it was slow beside real work says nothing of what it would say.
        _ if now.is_timed_out() || seen.was.is_timed_out() => {
            return cx.metrics.shadow("timed-out");
        }
        None => return cx.metrics.shadow("same"),
        Some(difference) => difference,
    };
    cx.metrics.shadow(result.as_str());
    let denial = gateway_policy::decide(&now.verdicts).err();
    let (policy, code) = denial.map(|(policy, denial)| (policy, denial.code)).unzip();
    let generation = now.verdicts.first().map(|verdict| verdict.generation);
    info!(
        request_id = %seen.request_id,
        trace_id = seen.trace_id.map(String::from),
        result = result.as_str(),
        action = seen.request.action.as_str(),
        target = %seen.request.target.target,
        policy,
        code,
        generation,
        "the policies in the shadow differ"
    );
    let event = Event::Shadow {
        difference: result,
        action: seen.request.action,
        target: seen.request.target.target,
        verdicts: told(now.verdicts, &seen.hidden),
        plan: PlanRecord {
            sha256: now.plan.sha256,
            ..PlanRecord::default()
        },
    };
    let (request_id, trace_id) = (seen.request_id, seen.trace_id);
    let record = Record {
        schema: Record::SCHEMA,
        at: Timestamp::now(),
        request_id,
        trace_id,
        event,
    };
    if let Err(lost) = cx.audit.write(record).await {
        cx.metrics.audit_failures.inc();
        error!(
            cause = cause(&lost),
            "what the policies in the shadow say is not in the audit log"
        );
    }
}

/// What they said, without their own words where something of the request is hidden, or where those are too long: they may
/// repeat it.
fn told(mut verdicts: Vec<Verdict>, hidden: &Hidden) -> Vec<Verdict> {
    let words = |verdict: &Verdict| {
        let annotations = verdict
            .annotations
            .iter()
            .map(|(name, value)| name.len() + value.len());
        let message = if let Decision::Deny(denial) = &verdict.decision {
            denial.message.len()
        } else {
            0
        };
        annotations.sum::<usize>() + message
    };
    // Escaped in JSON, a character may take six times the room.
    if !hidden.fields().is_empty()
        || verdicts.iter().map(words).sum::<usize>() > Record::LONGEST / 8
    {
        verdicts.iter_mut().for_each(audit_records::shorten);
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::HiddenField;

    const CONFIG: &str =
        "[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient-ca = \"c\"\n[shadow]\nwaiting = 2\n";

    fn subject() -> Subject {
        Subject {
            request_id: uuid::Uuid::nil().into(),
            trace_id: None,
            identity: None,
            source_address: [127, 0, 0, 1].into(),
            reason: None,
            action: None,
            target: None,
            checkpoint_id: None,
            hidden: Hidden::default(),
            since: std::time::Instant::now(),
            recorded: Arc::default(),
        }
    }

    fn waiting(config: &str) -> (usize, String) {
        let config = Config::parse(
            config,
            std::path::Path::new("config.toml"),
            &crate::config::Environment::default(),
        )
        .unwrap();
        let metrics = Arc::new(Metrics::new(crate::telemetry::Exports::default()));
        let shadow = Shadow::load(&config, 1, None, Arc::clone(&metrics)).unwrap();
        let request: Request =
            serde_json::from_str(include_str!("../../../policies/sdk/default-request.json"))
                .unwrap();
        let was = Evaluation {
            verdicts: vec![Verdict::of("p", Decision::Allow)],
            ..Evaluation::default()
        };
        for _ in 0..5 {
            shadow.offer(&subject(), &request, was.clone());
        }
        let waiting = shadow.from.lock().unwrap().as_ref().unwrap().len();
        (waiting, metrics.encode())
    }

    #[test]
    fn what_is_too_much_for_the_shadow_is_left_out_and_counted() {
        let (waiting, metrics) = waiting(&format!("{CONFIG}[[shadow.allow]]\nusers = [\"ada\"]\n"));
        assert_eq!(waiting, 2);
        assert!(
            metrics.contains("checkpoint_gateway_shadow_dropped_total 3\n"),
            "{metrics}"
        );
    }

    #[test]
    fn without_a_candidate_nothing_is_kept() {
        let (waiting, metrics) = waiting(CONFIG);
        assert_eq!(waiting, 0);
        assert!(
            metrics.contains("checkpoint_gateway_shadow_dropped_total 0\n"),
            "{metrics}"
        );
    }

    #[test]
    fn what_is_hidden_is_not_told_in_a_policys_words() {
        let mut verdict = Verdict::of("p", Decision::Allow);
        verdict
            .annotations
            .insert("user".to_owned(), "alice".to_owned());
        let hidden = Hidden::default();
        assert_eq!(told(vec![verdict.clone()], &hidden), [verdict.clone()]);
        hidden.add([HiddenField::User]);
        assert!(told(vec![verdict], &hidden)[0].annotations.is_empty());
    }
}
