//! All policies of a gateway, and their evaluation for a request.

use std::collections::BTreeSet;

use gateway_core::{Action, OpaqueRule, Plan, PlanRecord, Request, Verdict};

use crate::allow_list::{AllowList, AllowRule};
use crate::binding::Binding;
use crate::cache::Cache;
use crate::engine::Engine;
use crate::evaluation::Evaluation;
use crate::fault::Fault;
use crate::plan;
use crate::spec::Spec;

/// One generation of a gateway's policies. It never changes.
pub struct Policies {
    generation: u64,
    allow_list: Option<AllowList>,
    bindings: Vec<Binding>,
}

/// The redaction plan for one request, and the verdicts of the redactors.
#[derive(Debug)]
pub struct Planning {
    /// The joined plan of all enforced redactors, or the first failure with the name of its policy.
    pub plan: Result<Plan, (String, Fault)>,
    /// One verdict for each redactor that was called.
    pub verdicts: Vec<Verdict>,
    /// What the enforced redactors that change the archive are configured to do with opaque contents.
    opaque: BTreeSet<Option<OpaqueRule>>,
}

impl Planning {
    /// What happens to contents that cannot be searched: the strictest rule of all redactors that change the archive, where
    /// `default` is that of a policy without one of its own.
    pub fn opaque_rule(&self, default: OpaqueRule) -> OpaqueRule {
        let rules = self.opaque.iter().map(|rule| rule.unwrap_or(default));
        rules.max().unwrap_or(default)
    }
}

impl Policies {
    /// Loads the policies of `specs`. A policy that cannot be loaded only affects the requests to which it applies.
    pub fn load(
        generation: u64,
        allow_list: Option<AllowList>,
        specs: Vec<Spec>,
        engine: &Engine,
        cache: Option<&Cache>,
    ) -> Self {
        let load = |spec| Binding::load(spec, engine, cache);
        Self {
            generation,
            allow_list,
            bindings: specs.into_iter().map(load).collect(),
        }
    }

    /// Loads the policies of a configuration. Its allow list takes part if it has `rules`, or if there is no other policy.
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
            bindings: Vec::new(),
        }
    }

    /// The number of this generation, which every record contains.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The policies that could not be loaded: their names and faults.
    pub fn broken(&self) -> impl Iterator<Item = (&str, &Fault)> {
        self.bindings
            .iter()
            .filter_map(|binding| Some((binding.name(), binding.fault()?)))
    }

    /// The names of all configured policies, sorted.
    pub fn names(&self) -> BTreeSet<&str> {
        self.bindings.iter().map(Binding::name).collect()
    }

    /// Evaluates `request` as the gateway does: authorizers first, then redactors if it is a checkpoint that is allowed.
    pub fn evaluate(&self, request: &Request) -> Evaluation {
        let mut evaluation = Evaluation {
            verdicts: self.authorize(request),
            plan: PlanRecord::default(),
        };
        if request.action == Action::Create && evaluation.allows() {
            let planning = self.redact(request);
            evaluation.verdicts.extend(planning.verdicts);
            // Without a plan there is a denial among the verdicts.
            evaluation.plan = planning.plan.as_ref().map(plan::record).unwrap_or_default();
        }
        evaluation
    }

    /// The verdicts of all authorizers that apply to `request`, in the order of the configuration.
    pub fn authorize(&self, request: &Request) -> Vec<Verdict> {
        let list = self.allow_list.as_ref().map(|list| Verdict {
            generation: self.generation,
            ..Verdict::of(AllowList::NAME, list.decide(request))
        });
        let authorizers = self
            .applying_to(request)
            .filter_map(|binding| binding.authorize(self.generation, request));
        list.into_iter().chain(authorizers).collect()
    }

    /// The plans of all redactors that apply to `request`. There is no plan if an enforced one fails or could not be loaded.
    pub fn redact(&self, request: &Request) -> Planning {
        let (mut plans, mut failure, mut verdicts) = (Vec::new(), None, Vec::new());
        let mut opaque = BTreeSet::new();
        for binding in self.applying_to(request) {
            let result = match (binding.fault(), binding.redact(self.generation, request)) {
                // It may have been a redactor. Its verdict is among those of `authorize`.
                (Some(fault), _) => Err(fault.clone()),
                (None, None) => continue,
                (None, Some(redaction)) => {
                    verdicts.push(redaction.verdict);
                    redaction.plan
                }
            };
            match result {
                _ if !binding.is_enforced() => {}
                Ok(plan) => {
                    if plan.changes_the_archive() {
                        opaque.insert(binding.spec.opaque);
                    }
                    plans.push(plan);
                }
                Err(fault) => {
                    failure.get_or_insert((binding.name().to_owned(), fault));
                }
            }
        }
        Planning {
            plan: failure.map_or_else(|| Ok(plan::joined(plans)), Err),
            verdicts,
            opaque,
        }
    }

    fn applying_to<'a>(&'a self, request: &'a Request) -> impl Iterator<Item = &'a Binding> {
        self.bindings
            .iter()
            .filter(|binding| binding.spec.applies_to(request))
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
