//! The shadow policies of one configuration, with an engine of their own.

use std::sync::Arc;

use gateway_policy::{Cache, Engine, Policies};
use tracing::warn;

use crate::config::Config;
use crate::policies::Error;

/// Loaded shadow policies.
pub(crate) struct Candidate {
    policies: Arc<Policies>,
    /// Not the engine of the active policies: the candidate must not take slots from them.
    engine: Engine,
}

impl Candidate {
    /// Loads the shadow policies of `config`; `None` where it has none. `engine` is reused where there is one.
    pub(super) fn load(
        config: &Config,
        generation: u64,
        cache: Option<&Cache>,
        engine: Option<Engine>,
    ) -> Result<Option<Self>, Error> {
        let shadow = &config.shadow;
        if shadow.allow.is_empty() && shadow.policies.is_empty() {
            return Ok(None);
        }
        let engine = match engine {
            Some(engine) => engine,
            None => Engine::new(1, config.policy_engine.memory_bytes.get())
                .map_err(|error| Error::Engine(format!("{error:#}")))?,
        };
        let (rules, specs) = (shadow.allow.clone(), shadow.policies.clone());
        let policies = Arc::new(Policies::configured(
            generation, rules, specs, &engine, cache,
        ));
        for (policy, fault) in policies.broken() {
            warn!(policy, code = fault.code(), cause = %fault, "cannot load a shadow policy; it would deny the requests bound to it");
        }
        Ok(Some(Self { policies, engine }))
    }

    pub(super) fn policies(&self) -> Arc<Policies> {
        Arc::clone(&self.policies)
    }

    pub(super) fn engine(&self) -> Engine {
        self.engine.clone()
    }
}
