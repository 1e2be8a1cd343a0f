//! A loaded policy, and its calls.

use std::collections::BTreeMap;

use gateway_core::{Decision, Plan, Request};
use wasmtime::Store;

use crate::cache::Cache;
use crate::context::CallContext;
use crate::contract;
use crate::describe;
use crate::engine::Engine;
use crate::fault::{Fault, bounded};
use crate::guest::Guest;
use crate::kind::Kind;
use crate::limits::Limits;
use crate::module::Module;
use crate::plan;
use crate::prepared::Prepared;
use crate::run::{self, Usage};
use crate::spec::Spec;

/// A loaded policy.
pub struct Policy {
    engine: Engine,
    prepared: Prepared,
    digest: String,
    limits: Limits,
}

/// The decision of an authorizer, and its annotations.
pub type Answer = (Decision, BTreeMap<String, String>);

impl Policy {
    /// Loads and configures the policy that `spec` describes.
    ///
    /// # Errors
    /// If the module, its settings, or the configured snapshot is not valid.
    pub fn load(engine: &Engine, spec: &Spec, cache: Option<&Cache>) -> Result<Self, Fault> {
        let module = Module::read(&spec.file, spec.sha256.as_deref())?;
        let settings = serde_json::Value::Object(spec.settings.clone()).to_string();
        let limits = Limits {
            memory_bytes: spec.limits.memory_bytes.min(engine.memory_max()),
            ..spec.limits
        };
        let prepared = module.prepare(engine, &settings, limits, spec.wasi, cache)?;
        let policy = Self {
            engine: engine.clone(),
            prepared,
            digest: module.digest().to_owned(),
            limits,
        };
        policy.schema()?; // proves that a fresh instance of the snapshot works
        Ok(policy)
    }

    /// Whether it is an authorizer or a redactor.
    pub fn kind(&self) -> Kind {
        self.prepared.kind()
    }

    /// The module's SHA-256, as hex digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The JSON Schema of its settings.
    ///
    /// # Errors
    /// If the call fails, or its answer is not JSON.
    pub fn schema(&self) -> Result<serde_json::Value, Fault> {
        let limits = Limits {
            deadline_milliseconds: self.limits.configure_milliseconds,
            ..self.limits
        };
        describe::schema(&self.engine, &self.prepared, limits)
    }

    /// Calls an authorizer. Every call runs in a fresh instance, so it cannot see other requests.
    ///
    /// # Errors
    /// Every failure of the policy, and a redactor.
    pub fn authorize(&self, request: &Request) -> (Result<Answer, Fault>, Usage) {
        let Prepared::Authorizer(pre) = &self.prepared else {
            return (
                Err(Fault::World("it is a redactor".to_owned())),
                Usage::default(),
            );
        };
        let (context, request) = (CallContext::of(request), contract::request(request));
        let call = |store: &mut Store<Guest>| {
            pre.instantiate(&mut *store)?
                .checkpoint_gateway_policy_authorization()
                .call_authorize(store, &request)
        };
        run::call(&self.engine, self.limits, context, call, |verdict, _| {
            contract::verdict(verdict).map_err(|why| Fault::Answer(why.to_owned()))
        })
    }

    /// Calls a redactor and checks its plan.
    ///
    /// # Errors
    /// Every failure of the policy, a plan that is not valid, and an authorizer.
    pub fn redact(&self, request: &Request) -> (Result<Plan, Fault>, Usage) {
        let Prepared::Redactor(pre) = &self.prepared else {
            return (
                Err(Fault::World("it is an authorizer".to_owned())),
                Usage::default(),
            );
        };
        let (context, request) = (CallContext::of(request), contract::request(request));
        let call = |store: &mut Store<Guest>| {
            pre.instantiate(&mut *store)?
                .checkpoint_gateway_policy_redaction()
                .call_redact(store, &request)
        };
        run::call(
            &self.engine,
            self.limits,
            context,
            call,
            |answer, deadline| {
                let plan = answer.map_err(|why| Fault::Refused(bounded(why)))?;
                let plan = contract::plan(plan)?;
                plan::check(&plan, deadline)?;
                Ok(plan)
            },
        )
    }
}
