//! The active policies, and their replacement while requests are served.

mod error;
mod shadow;

use std::sync::Arc;

use gateway_policy::{Cache, Engine, Policies};
use parking_lot::{Mutex, RwLock};
use tracing::{info, warn};

use crate::config::Config;
use crate::telemetry::Metrics;

pub use error::Error;
use shadow::Candidate;
pub(crate) use shadow::{Shadow, ShadowRecords};

/// The active policies. A request uses one generation to its end, even if another is swapped in meanwhile.
pub(crate) struct ActivePolicies {
    engine: Engine,
    cache: Option<Cache>,
    current: RwLock<Arc<Policies>>,
    rejected: Mutex<Option<String>>,
    shadow: Shadow,
    metrics: Arc<Metrics>,
}

/// Policies that are loaded and not active yet.
pub(crate) struct Prepared {
    policies: Arc<Policies>,
    shadow: Option<Candidate>,
}

impl ActivePolicies {
    /// Loads the policies of `config` as the first generation.
    pub(crate) fn load(config: &Config, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let settings = &config.policy_engine;
        let engine = Engine::new(settings.slots.get(), settings.memory_bytes.get());
        let engine = engine.map_err(|error| Error::Engine(format!("{error:#}")))?;
        let cache = cache(config)?;
        let first = Arc::new(generation(1, config, &engine, cache.as_ref()));
        if settings.strict {
            check_complete(&first)?;
        }
        for (policy, fault) in first.broken() {
            warn!(policy, code = fault.code(), cause = %fault, "cannot load a policy; requests bound to it are denied");
        }
        metrics.policies(&first);
        let shadow = Shadow::load(config, 1, cache.as_ref(), Arc::clone(&metrics))?;
        Ok(Self {
            engine,
            cache,
            current: RwLock::new(first),
            rejected: Mutex::default(),
            shadow,
            metrics,
        })
    }

    /// The active generation.
    pub(crate) fn current(&self) -> Arc<Policies> {
        Arc::clone(&self.current.read())
    }

    /// The shadow policies.
    pub(crate) fn shadow(&self) -> &Shadow {
        &self.shadow
    }

    /// Loads the policies of `config` beside the active ones, all of them or none. Compiles, so it blocks.
    pub(crate) fn prepare(&self, config: &Config) -> Result<Prepared, Error> {
        let generation = self.current().generation().saturating_add(1);
        let policies = Arc::new(self::generation(
            generation,
            config,
            &self.engine,
            self.cache.as_ref(),
        ));
        check_complete(&policies)?;
        let shadow = self
            .shadow
            .prepare(config, generation, self.cache.as_ref())?;
        Ok(Prepared { policies, shadow })
    }

    /// Makes the prepared policies the active ones.
    pub(crate) fn activate(&self, prepared: Prepared) {
        let generation = prepared.policies.generation();
        self.shadow.activate(prepared.shadow);
        self.metrics.policies(&prepared.policies);
        *self.current.write() = prepared.policies;
        // Before the log line: its reader may ask at once.
        self.set_rejected(None);
        info!(generation, "the new policies are active");
    }

    /// Notes that a new configuration was rejected, and why, for the log and the health page.
    pub(crate) fn reject(&self, why: &str) {
        self.metrics.reloads_rejected.inc();
        self.set_rejected(Some(why.to_owned()));
        warn!(
            cause = why,
            "rejected the new configuration; the old policies stay active"
        );
    }

    /// Facts that an operator should know: broken policies, and a rejected reload.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let policies = self.current();
        let broken = policies.broken().map(|(name, fault)| {
            format!(
                "policy {name} cannot be loaded, so requests bound to it are denied: {} ({fault})",
                fault.code()
            )
        });
        let rejected = self.rejected.lock().clone();
        let rejected = rejected.map(|reason| format!("the last reload was rejected: {reason}"));
        broken.chain(rejected).collect()
    }

    fn set_rejected(&self, why: Option<String>) {
        *self.rejected.lock() = why;
    }
}

/// The cache of compiled policies. Without policies there is nothing to cache, so an unusable directory does not matter then.
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

fn check_complete(policies: &Policies) -> Result<(), Error> {
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
    const REQUEST: &str = include_str!("../../../../policies/sdk/default-request.json");

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
    fn requests_under_load_never_see_two_generations() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("compiled");
        let metrics = Arc::new(Metrics::new(crate::telemetry::Exports::default()));
        let (even, odd) = (config(&folder, "even"), config(&folder, "odd"));
        let active = ActivePolicies::load(&even, metrics).unwrap();
        let reload = |config| active.activate(active.prepare(config).unwrap());
        reload(&odd); // both are compiled now
        let request: Request = serde_json::from_str(REQUEST).unwrap();
        let swapped = AtomicBool::new(false);
        let asked = std::thread::scope(|scope| {
            let load = scope.spawn(|| {
                let mut seen = BTreeSet::new();
                while !swapped.load(Ordering::Relaxed) {
                    let verdicts = active.current().authorize(&request);
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
        assert_eq!(active.current().generation(), 1002);
        assert!(
            asked.len() > 100,
            "the load saw only {} generations",
            asked.len()
        );
    }
}
