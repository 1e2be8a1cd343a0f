use std::collections::BTreeSet;

use gateway_core::{Decision, Denial, Plan, Request, Verdict};

use crate::allow_list::{AllowList, AllowRule};
use crate::cache::Cache;
use crate::module::Kind;
use crate::policy::{Mode, Policy, Spec};
use crate::run::Usage;
use crate::{Engine, Fault, plan};

/// The policies that a gateway obeys: one generation of them, which never changes.
pub struct Policies {
    generation: u64,
    allow_list: Option<AllowList>,
    bound: Vec<Bound>,
}

/// A policy and the requests that it is asked about. One that could not be loaded stays, and denies those.
struct Bound {
    spec: Spec,
    policy: Result<Policy, Fault>,
}

/// A redaction plan, or why there is none, and who was asked.
#[derive(Debug)]
pub struct Planning {
    /// The plans of all redactors that are enforced, joined; or the first failure, with its policy's name.
    pub plan: Result<Plan, (String, Fault)>,
    /// Who was asked, and what that took.
    pub asked: Vec<Verdict>,
}

impl Policies {
    /// Loads what `specs` describe. A policy that cannot be loaded takes down only the requests that it is bound to.
    pub fn load(
        generation: u64,
        allow_list: Option<AllowList>,
        specs: Vec<Spec>,
        engine: &Engine,
        cache: Option<&Cache>,
    ) -> Self {
        let load = |spec: Spec| Bound {
            policy: Policy::load(engine, &spec, cache),
            spec,
        };
        Self {
            generation,
            allow_list,
            bound: specs.into_iter().map(load).collect(),
        }
    }

    /// The same with the allow list of a configuration: it is asked where it has `rules`, or where nobody else could be.
    pub fn configured(
        generation: u64,
        rules: Vec<AllowRule>,
        specs: Vec<Spec>,
        engine: &Engine,
        cache: Option<&Cache>,
    ) -> Self {
        let list = (!rules.is_empty() || specs.is_empty()).then(|| AllowList::new(rules));
        Self::load(generation, list, specs, engine, cache)
    }

    /// Policies that consist of the built-in allow list.
    pub fn of_allow_list(allow_list: AllowList) -> Self {
        Self {
            generation: 0,
            allow_list: Some(allow_list),
            bound: Vec::new(),
        }
    }

    /// Which generation this is. Every record names it.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Those that could not be loaded, by name, and why.
    pub fn broken(&self) -> impl Iterator<Item = (&str, &Fault)> {
        self.bound
            .iter()
            .filter_map(|bound| Some((bound.spec.name.as_str(), bound.policy.as_ref().err()?)))
    }

    /// The names of all, in the order of the configuration.
    pub fn names(&self) -> BTreeSet<&str> {
        self.bound
            .iter()
            .map(|bound| bound.spec.name.as_str())
            .collect()
    }

    /// What every authorizer that is bound to `request` says of it, in the order of the configuration.
    pub fn authorize(&self, request: &Request) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        if let Some(list) = &self.allow_list {
            verdicts.push(Verdict {
                generation: self.generation,
                ..Verdict::of(AllowList::NAME, list.decide(request))
            });
        }
        verdicts.extend(
            self.bound_to(request)
                .filter_map(|bound| bound.authorize(self.generation, request)),
        );
        verdicts
    }

    /// What all redactors that are bound to `request` want hidden. One that fails, or could not be loaded, means that
    /// there is no plan.
    pub fn redact(&self, request: &Request) -> Planning {
        let mut planning = Planning {
            plan: Ok(Plan::default()),
            asked: Vec::new(),
        };
        let mut plans = Vec::new();
        for bound in self.bound_to(request) {
            if let (Err(fault), Mode::Enforce, true) =
                (&bound.policy, bound.spec.mode, planning.plan.is_ok())
            {
                // It may have been a redactor. That it was asked, and denied, is told by `authorize`.
                planning.plan = Err((bound.spec.name.clone(), fault.clone()));
            }
            let Some((result, usage)) = bound.redact(request) else {
                continue;
            };
            planning
                .asked
                .push(bound.asked(self.generation, result.as_ref().map(drop), usage));
            match result {
                Ok(plan) if bound.spec.mode == Mode::Enforce => plans.push(plan),
                Err(fault) if bound.spec.mode == Mode::Enforce && planning.plan.is_ok() => {
                    planning.plan = Err((bound.spec.name.clone(), fault));
                }
                _ => {}
            }
        }
        planning.plan = planning.plan.map(|_| plan::joined(plans));
        planning
    }

    fn bound_to<'a>(&'a self, request: &'a Request) -> impl Iterator<Item = &'a Bound> {
        self.bound
            .iter()
            .filter(|bound| bound.spec.is_bound_to(request))
    }
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policies")
            .field("generation", &self.generation)
            .field("names", &self.names())
            .finish_non_exhaustive()
    }
}

impl Bound {
    /// `None` where it is a redactor.
    fn authorize(&self, generation: u64, request: &Request) -> Option<Verdict> {
        let policy = match &self.policy {
            Ok(policy) if policy.kind() == Kind::Redactor => return None,
            Ok(policy) => policy,
            // What it would have been is not known, so it denies as an authorizer.
            Err(fault) => {
                return Some(self.verdict(
                    generation,
                    Decision::Deny(fault.denial()),
                    Usage::default(),
                ));
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

    /// `None` where it is an authorizer, or could not be loaded and has denied already.
    fn redact(&self, request: &Request) -> Option<(Result<Plan, Fault>, Usage)> {
        let policy = self
            .policy
            .as_ref()
            .ok()
            .filter(|policy| policy.kind() == Kind::Redactor)?;
        Some(policy.redact(request))
    }

    fn asked(&self, generation: u64, result: Result<(), &Fault>, usage: Usage) -> Verdict {
        let decision = result.map_or_else(
            |fault| Decision::Deny(fault.denial()),
            |()| Decision::Abstain,
        );
        self.verdict(generation, decision, usage)
    }

    fn verdict(&self, generation: u64, decision: Decision, usage: Usage) -> Verdict {
        Verdict {
            generation,
            digest: self
                .policy
                .as_ref()
                .ok()
                .map(|policy| policy.digest().to_owned()),
            monitored: self.spec.mode == Mode::Monitor,
            microseconds: u64::try_from(usage.time.as_micros()).unwrap_or(u64::MAX),
            memory_bytes: usage.memory as u64,
            ..Verdict::of(&self.spec.name, decision)
        }
    }
}

/// The decision that follows from all `verdicts` that count: the first denial with the name of its policy, else one
/// allow, else the denial of a request on which no policy has an opinion.
///
/// # Errors
/// The name of the policy that denies, empty where none spoke, and why.
pub fn decide(verdicts: &[Verdict]) -> Result<(), (String, Denial)> {
    let counting = || verdicts.iter().filter(|verdict| !verdict.monitored);
    let denial = counting().find_map(|verdict| match &verdict.decision {
        Decision::Deny(denial) => Some((verdict.policy.clone(), denial.clone())),
        Decision::Allow | Decision::Abstain => None,
    });
    match denial {
        Some(denial) => Err(denial),
        None if counting().any(|verdict| verdict.decision == Decision::Allow) => Ok(()),
        None => Err((
            String::new(),
            Denial {
                code: "no-policy-allows".into(),
                message: "no policy allows this request".into(),
            },
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(code: &str) -> Decision {
        Decision::Deny(Denial {
            code: code.into(),
            message: String::new(),
        })
    }

    #[test]
    fn silence_is_a_denial() {
        assert_eq!(decide(&[]).unwrap_err().1.code, "no-policy-allows");
        assert_eq!(
            decide(&[Verdict::of("a", Decision::Abstain)])
                .unwrap_err()
                .1
                .code,
            "no-policy-allows"
        );
    }

    #[test]
    fn one_allow_is_enough_and_one_denial_outweighs_every_allow() {
        assert_eq!(
            decide(&[
                Verdict::of("a", Decision::Abstain),
                Verdict::of("b", Decision::Allow)
            ]),
            Ok(())
        );
        let verdicts = [
            Verdict::of("a", Decision::Allow),
            Verdict::of("b", denial("no")),
            Verdict::of("c", denial("never")),
        ];
        let (policy, why) = decide(&verdicts).unwrap_err();
        assert_eq!((policy.as_str(), why.code.as_str()), ("b", "no"));
    }

    #[test]
    fn what_is_monitored_changes_nothing() {
        let monitored = |decision| Verdict {
            monitored: true,
            ..Verdict::of("m", decision)
        };
        assert_eq!(
            decide(&[Verdict::of("a", Decision::Allow), monitored(denial("no"))]),
            Ok(())
        );
        assert!(decide(&[monitored(Decision::Allow)]).is_err());
    }
}
