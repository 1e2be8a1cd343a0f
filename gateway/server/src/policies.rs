//! The policies in force, and how they change while requests are served.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use gateway_policy::{Cache, Engine, Fault, Policies};
use tracing::{info, warn};

use crate::config::Config;
use crate::shadow::{Candidate, Shadow};
use crate::telemetry::Metrics;

/// Why policies cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine cannot be made.
    #[error(
        "cannot make room for policies (`policy-engine.slots`, `policy-engine.memory-bytes`): {0}"
    )]
    Engine(String),
    /// The cache cannot be used.
    #[error("cannot keep compiled policies in `{path}` (`policy-engine.cache-directory`)")]
    Cache {
        /// Which folder.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A policy cannot be loaded, and `strict` or a reload asks for all of them.
    #[error("policy `{policy}` cannot be loaded ({}): {fault}", .fault.code())]
    Broken {
        /// Its name.
        policy: String,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// The policies in force. A request takes one generation and keeps it to its end, whatever is swapped in meanwhile.
pub(crate) struct InForce {
    engine: Engine,
    cache: Option<Cache>,
    now: RwLock<Arc<Policies>>,
    rejected: Mutex<Option<String>>,
    shadow: Shadow,
    metrics: Arc<Metrics>,
}

/// Policies that work, and are not in force yet.
pub(crate) struct Prepared {
    policies: Arc<Policies>,
    shadow: Option<Candidate>,
}

impl InForce {
    /// Loads what `config` describes, as the first generation.
    pub(crate) fn load(config: &Config, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let settings = &config.policy_engine;
        let engine = Engine::new(settings.slots.get(), settings.memory_bytes.get());
        let engine = engine.map_err(|error| Error::Engine(format!("{error:#}")))?;
        let cache = cache(config)?;
        let first = Arc::new(generation(1, config, &engine, cache.as_ref()));
        if settings.strict {
            whole(&first)?;
        }
        for (policy, fault) in first.broken() {
            warn!(policy, code = fault.code(), cause = %fault, "a policy cannot be loaded; what it is bound to is denied");
        }
        metrics.policies(&first);
        let shadow = Shadow::load(config, 1, cache.as_ref(), Arc::clone(&metrics))?;
        Ok(Self {
            engine,
            cache,
            now: RwLock::new(first),
            rejected: Mutex::default(),
            shadow,
            metrics,
        })
    }

    /// The generation in force.
    pub(crate) fn now(&self) -> Arc<Policies> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Those that are only tried out.
    pub(crate) fn shadow(&self) -> &Shadow {
        &self.shadow
    }

    /// Loads what `config` describes beside what is in force, all of it or nothing. Compiles, so it blocks.
    pub(crate) fn prepare(&self, config: &Config) -> Result<Prepared, Error> {
        let generation = self.now().generation().saturating_add(1);
        let policies = Arc::new(self::generation(
            generation,
            config,
            &self.engine,
            self.cache.as_ref(),
        ));
        whole(&policies)?;
        let shadow = self
            .shadow
            .prepare(config, generation, self.cache.as_ref())?;
        Ok(Prepared { policies, shadow })
    }

    /// Swaps in what was prepared.
    pub(crate) fn take(&self, prepared: Prepared) {
        let generation = prepared.policies.generation();
        self.shadow.take(prepared.shadow);
        self.metrics.policies(&prepared.policies);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = prepared.policies;
        // Before it is told: whoever reads it in the log may ask at once.
        self.note(None);
        info!(generation, "new policies are in force");
    }

    /// A candidate that was not taken, for whoever asks why nothing has changed.
    pub(crate) fn reject(&self, why: &str) {
        self.metrics.reloads_rejected.inc();
        self.note(Some(why.to_owned()));
        warn!(
            cause = why,
            "the new configuration is not taken; the old one stays in force"
        );
    }

    /// Why the last candidate was not taken, where it was not.
    pub(crate) fn rejected(&self) -> Option<String> {
        self.rejected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, why: Option<String>) {
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

/// Without policies there is nothing to keep, so a folder that cannot be used is no obstacle then.
fn cache(config: &Config) -> Result<Option<Cache>, Error> {
    let folder = &config.policy_engine.cache_directory;
    if folder.as_os_str().is_empty() {
        return Ok(None);
    }
    match Cache::open(folder) {
        Ok(cache) => Ok(Some(cache)),
        Err(_) if config.policies.is_empty() && config.shadow.policies.is_empty() => Ok(None),
        Err(source) => Err(Error::Cache {
            path: folder.display().to_string(),
            source,
        }),
    }
}

fn generation(number: u64, config: &Config, engine: &Engine, cache: Option<&Cache>) -> Policies {
    let rules = config.authorization.allow.clone();
    Policies::configured(number, rules, config.policies.clone(), engine, cache)
}

fn whole(policies: &Policies) -> Result<(), Error> {
    let broken = policies.broken().next();
    broken.map_or(Ok(()), |(policy, fault)| {
        Err(Error::Broken {
            policy: policy.to_owned(),
            fault: fault.clone(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::{Decision, Request};
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicBool, Ordering};

    const COMPONENT: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../policies/namespace-allowlist/namespace-allowlist.wasm"
    );
    const REQUEST: &str = include_str!("../../../policies/sdk/default-request.json");

    fn config(cache: &std::path::Path, label: &str) -> Config {
        let policy = |name: &str| {
            format!(
                "[[policies]]\nname = \"{name}\"\nfile = \"{COMPONENT}\"\nsettings = {{ namespaces = [\"shop\", \"{label}\"] }}\n\
                 limits = {{ deadline-milliseconds = 20000 }}\n"
            )
        };
        let text = format!(
            "[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient-ca = \"c\"\n[policy-engine]\ncache-directory = \"{}\"\n{}{}",
            cache.display(),
            policy("one"),
            policy("two"),
        );
        Config::parse(
            &text,
            std::path::Path::new("config.toml"),
            &crate::config::Environment::default(),
        )
        .unwrap()
    }

    #[test]
    fn a_thousand_swaps_under_load_fail_no_request_and_show_none_two_generations() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("compiled");
        let metrics = Arc::new(Metrics::new(crate::telemetry::Exports::default()));
        let (even, odd) = (config(&folder, "even"), config(&folder, "odd"));
        let in_force = InForce::load(&even, metrics).unwrap();
        let reload = |config| in_force.take(in_force.prepare(config).unwrap());
        reload(&odd); // both are compiled now
        let request: Request = serde_json::from_str(REQUEST).unwrap();
        let swapped = AtomicBool::new(false);
        let asked = std::thread::scope(|scope| {
            let load = scope.spawn(|| {
                let mut seen = BTreeSet::new();
                while !swapped.load(Ordering::Relaxed) {
                    let verdicts = in_force.now().authorize(&request);
                    assert!(
                        verdicts
                            .iter()
                            .all(|verdict| verdict.decision == Decision::Allow),
                        "{verdicts:?}"
                    );
                    let generations: BTreeSet<_> =
                        verdicts.iter().map(|verdict| verdict.generation).collect();
                    assert_eq!((verdicts.len(), generations.len()), (2, 1), "{verdicts:?}");
                    seen.extend(generations);
                }
                seen
            });
            for round in 0..1000 {
                reload(if round % 2 == 0 { &even } else { &odd });
            }
            swapped.store(true, Ordering::Relaxed);
            load.join().unwrap()
        });
        assert_eq!(in_force.now().generation(), 1002);
        assert!(
            asked.len() > 100,
            "the load saw only {} generations",
            asked.len()
        );
    }
}
