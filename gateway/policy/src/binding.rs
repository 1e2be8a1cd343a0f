//! A configured policy, loaded or not, and its verdicts.

use gateway_core::{Decision, Plan, Request, Verdict};

use crate::cache::Cache;
use crate::engine::Engine;
use crate::fault::Fault;
use crate::kind::Kind;
use crate::policy::Policy;
use crate::run::Usage;
use crate::spec::{Mode, Spec};

/// A policy and the requests to which it applies. One that could not be loaded denies those requests.
pub(crate) struct Binding {
    pub(crate) spec: Spec,
    policy: Result<Policy, Fault>,
}

/// The answer of a redactor and the verdict for the record.
pub(crate) struct Redaction {
    pub(crate) plan: Result<Plan, Fault>,
    pub(crate) verdict: Verdict,
}

impl Binding {
    pub(crate) fn load(spec: Spec, engine: &Engine, cache: Option<&Cache>) -> Self {
        Self {
            policy: Policy::load(engine, &spec, cache),
            spec,
        }
    }

    /// The policy's name.
    pub(crate) fn name(&self) -> &str {
        &self.spec.name
    }

    /// Why the policy could not be loaded.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.policy.as_ref().err()
    }

    pub(crate) fn is_enforced(&self) -> bool {
        self.spec.mode == Mode::Enforce
    }

    /// The verdict of an authorizer; `None` for a redactor.
    pub(crate) fn authorize(&self, generation: u64, request: &Request) -> Option<Verdict> {
        let policy = match &self.policy {
            Ok(policy) if policy.kind() == Kind::Redactor => return None,
            Ok(policy) => policy,
            // Its kind is unknown, so it denies as an authorizer does.
            Err(fault) => {
                let decision = Decision::Deny(fault.denial());
                return Some(self.verdict(generation, decision, Usage::default()));
            }
        };
        let (answer, usage) = policy.authorize(request);
        Some(match answer {
            Ok((decision, annotations)) => Verdict {
                annotations,
                ..self.verdict(generation, decision, usage)
            },
            Err(fault) => self.verdict(generation, Decision::Deny(fault.denial()), usage),
        })
    }

    /// The plan of a redactor; `None` for an authorizer, and for a policy that could not be loaded and so denied already.
    pub(crate) fn redact(&self, generation: u64, request: &Request) -> Option<Redaction> {
        let policy = self.policy.as_ref().ok()?;
        if policy.kind() != Kind::Redactor {
            return None;
        }
        let (plan, usage) = policy.redact(request);
        let decision = match &plan {
            Ok(_) => Decision::Abstain,
            Err(fault) => Decision::Deny(fault.denial()),
        };
        Some(Redaction {
            plan,
            verdict: self.verdict(generation, decision, usage),
        })
    }

    fn verdict(&self, generation: u64, decision: Decision, usage: Usage) -> Verdict {
        let policy = self.policy.as_ref().ok();
        Verdict {
            generation,
            digest: policy.map(|policy| policy.digest().to_owned()),
            monitored: !self.is_enforced(),
            microseconds: u64::try_from(usage.time.as_micros()).unwrap_or(u64::MAX),
            memory_bytes: usage.memory as u64,
            ..Verdict::of(&self.spec.name, decision)
        }
    }
}
