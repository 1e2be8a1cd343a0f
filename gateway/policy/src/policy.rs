use std::collections::BTreeMap;
use std::path::PathBuf;

use gateway_core::{Action, Decision, Plan, Request};
use serde::{Deserialize, Serialize};
use wasmtime::Store;

use crate::cache::Cache;
use crate::contract;
use crate::limits::Guest;
use crate::module::{Kind, Module, Ready};
use crate::run::{self, Usage};
use crate::wasi::{Moment, Wasi};
use crate::{Engine, Fault, Limits, describe, plan};

/// A policy as the configuration describes it: which module, with which settings, for which requests.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    /// The name that verdicts, records and metrics show.
    pub name: String,
    /// The component.
    pub file: PathBuf,
    /// The SHA-256 that the component must have, as hex digits; without it any is taken.
    #[serde(default)]
    pub sha256: Option<String>,
    /// What the policy is configured with.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The actions that it is asked about; empty means all.
    #[serde(default)]
    pub actions: Vec<Action>,
    /// The namespaces that it is asked about; empty means all.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Labels that the pod must have for the policy to be asked.
    #[serde(default)]
    pub pod_labels: BTreeMap<String, String>,
    /// Whether its answer counts.
    #[serde(default)]
    pub mode: Mode,
    /// What it may take up.
    #[serde(default)]
    pub limits: Limits,
    /// Whether it may import WASI.
    #[serde(default)]
    pub wasi: Wasi,
}

/// Whether a policy's answer counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It counts.
    #[default]
    Enforce,
    /// It is recorded, and changes nothing.
    Monitor,
}

/// A loaded policy.
pub struct Policy {
    engine: Engine,
    ready: Ready,
    digest: String,
    limits: Limits,
}

/// What an authorizer said of one request.
pub type Answer = (Decision, BTreeMap<String, String>);

impl Spec {
    /// Whether the policy is asked about `request`.
    pub fn is_bound_to(&self, request: &Request) -> bool {
        let target = &request.target;
        let namespace = target.target.namespace();
        (self.actions.is_empty() || self.actions.contains(&request.action))
            && (self.namespaces.is_empty() || self.namespaces.iter().any(|name| name == namespace))
            && self
                .pod_labels
                .iter()
                .all(|(name, value)| target.pod_labels.get(name) == Some(value))
    }
}

impl Policy {
    /// The policy that `spec` describes, configured and ready.
    ///
    /// # Errors
    /// Whatever is wrong with the module, its settings, or its state after them.
    pub fn load(engine: &Engine, spec: &Spec, cache: Option<&Cache>) -> Result<Self, Fault> {
        let module = Module::read(&spec.file, spec.sha256.as_deref())?;
        let settings = serde_json::Value::Object(spec.settings.clone()).to_string();
        let limits = Limits {
            memory_bytes: spec.limits.memory_bytes.min(engine.memory_max()),
            ..spec.limits
        };
        let ready = module.prepare(engine, &settings, limits, spec.wasi, cache)?;
        let policy = Self {
            engine: engine.clone(),
            ready,
            digest: module.digest().to_owned(),
            limits,
        };
        policy.schema()?; // a fresh instance of the snapshot works
        Ok(policy)
    }

    /// What it is for.
    pub fn kind(&self) -> Kind {
        self.ready.kind()
    }

    /// The module's SHA-256, as hex digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The JSON Schema of its settings.
    ///
    /// # Errors
    /// Where the policy fails to tell, or what it tells is no JSON.
    pub fn schema(&self) -> Result<serde_json::Value, Fault> {
        let limits = Limits {
            deadline_milliseconds: self.limits.configure_milliseconds,
            ..self.limits
        };
        describe::schema(&self.engine, &self.ready, limits)
    }

    /// Asks an authorizer; every call is a fresh instance, so it knows of no other request.
    ///
    /// # Errors
    /// However it fails; a redactor has no answer to this.
    pub fn authorize(&self, request: &Request) -> (Result<Answer, Fault>, Usage) {
        let Ready::Authorizer(pre) = &self.ready else {
            return (
                Err(Fault::World("it is a redactor".to_owned())),
                Usage::default(),
            );
        };
        let (moment, request) = (Moment::of(request), contract::request(request));
        let ask = |store: &mut Store<Guest>| {
            pre.instantiate(&mut *store)?
                .checkpoint_gateway_policy_authorization()
                .call_authorize(store, &request)
        };
        run::call(&self.engine, self.limits, moment, ask, |verdict, _| {
            contract::verdict(verdict).map_err(|what| Fault::Answer(what.to_owned()))
        })
    }

    /// Asks a redactor, and checks its plan.
    ///
    /// # Errors
    /// However it fails; an authorizer has no answer to this.
    pub fn redact(&self, request: &Request) -> (Result<Plan, Fault>, Usage) {
        let Ready::Redactor(pre) = &self.ready else {
            return (
                Err(Fault::World("it is an authorizer".to_owned())),
                Usage::default(),
            );
        };
        let (moment, request) = (Moment::of(request), contract::request(request));
        let ask = |store: &mut Store<Guest>| {
            pre.instantiate(&mut *store)?
                .checkpoint_gateway_policy_redaction()
                .call_redact(store, &request)
        };
        run::call(
            &self.engine,
            self.limits,
            moment,
            ask,
            |planned, deadline| {
                let plan = contract::plan(
                    planned.map_err(|why| Fault::Refused(crate::fault::told(why)))?,
                )?;
                plan::check(&plan, deadline)?;
                Ok(plan)
            },
        )
    }
}
