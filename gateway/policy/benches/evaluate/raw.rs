//! A plain use of wasmtime, as in its documentation, for comparison.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, Store, StoreLimits, StoreLimitsBuilder};

use generated::checkpoint_gateway::policy::{logging, types};
use generated::{Authorizer, AuthorizerPre};

#[expect(
    clippy::all,
    clippy::restriction,
    reason = "generated from wit/, which documents the types"
)]
mod generated {
    wasmtime::component::bindgen!({ path: "../../wit/v0.1.0", world: "authorizer" });
}

/// A linked component that gets a new store for each call: on-demand instances, epochs and a memory limit.
pub(crate) struct Raw {
    engine: Engine,
    policy: AuthorizerPre<Guest>,
    ended: Arc<AtomicBool>,
    ticker: Option<JoinHandle<()>>,
}

/// One instance that is reused for all calls.
pub(crate) struct Warm {
    store: Store<Guest>,
    policy: Authorizer,
}

pub(crate) struct Guest {
    limits: StoreLimits,
}

impl Raw {
    pub(crate) fn new(file: &Path) -> Self {
        let engine = Engine::new(Config::new().epoch_interruption(true)).unwrap();
        let component = Component::from_file(&engine, file).unwrap();
        let mut linker = Linker::new(&engine);
        Authorizer::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest: &mut Guest| guest).unwrap();
        let policy = AuthorizerPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
        let ended = Arc::<AtomicBool>::default();
        let (ending, ticking) = (Arc::clone(&ended), engine.clone());
        let ticker = std::thread::spawn(move || {
            while !ending.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_millis(2));
                ticking.increment_epoch();
            }
        });
        Self {
            engine,
            policy,
            ended,
            ticker: Some(ticker),
        }
    }

    /// Makes a store and an instance, calls it, and drops both.
    pub(crate) fn call(&self, request: &types::Request) {
        let mut store = self.store(25);
        let policy = self.policy.instantiate(&mut store).unwrap();
        policy
            .checkpoint_gateway_policy_authorization()
            .call_authorize(&mut store, request)
            .unwrap();
    }

    pub(crate) fn warm(&self, settings: &str) -> Warm {
        let mut store = self.store(u64::MAX >> 1);
        let policy = self.policy.instantiate(&mut store).unwrap();
        let contract = policy.checkpoint_gateway_policy_settings();
        contract
            .call_configure(&mut store, settings)
            .unwrap()
            .unwrap();
        Warm { store, policy }
    }

    fn store(&self, ticks: u64) -> Store<Guest> {
        let limits = StoreLimitsBuilder::new().memory_size(64 << 20).build();
        let mut store = Store::new(&self.engine, Guest { limits });
        store.limiter(|guest| &mut guest.limits);
        store.set_epoch_deadline(ticks);
        store
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = self.ticker.take().map(JoinHandle::join);
    }
}

impl Warm {
    pub(crate) fn call(&mut self, request: &types::Request) {
        let policy = self.policy.checkpoint_gateway_policy_authorization();
        policy.call_authorize(&mut self.store, request).unwrap();
    }
}

impl logging::Host for Guest {
    fn log(&mut self, _: logging::Level, _: String) {}
}

impl types::Host for Guest {}

/// The request in wasmtime's types. It is converted once, outside of the measured loop.
pub(crate) fn request(request: &gateway_core::Request) -> types::Request {
    let target = &request.target;
    types::Request {
        id: request.id.to_string(),
        action: types::Action::Create,
        identity: types::Identity {
            user: request.identity.user.clone(),
            groups: request.identity.groups.clone(),
            credential: types::Credential::BearerToken,
            issuer: request.identity.issuer.clone(),
            claims: serde_json::Value::Object(request.identity.claims.clone()).to_string(),
        },
        target: types::Container {
            namespace: target.target.namespace().to_owned(),
            pod: target.target.pod().to_owned(),
            name: target.target.container().to_owned(),
            id: target.id.clone(),
            pod_uid: target.pod_uid.clone(),
            image: target.image.clone(),
            labels: pairs(&target.labels),
            annotations: pairs(&target.annotations),
            pod_labels: pairs(&target.pod_labels),
            pod_annotations: pairs(&target.pod_annotations),
        },
        archive: None,
        latest: None,
        reason: request.reason.clone(),
        timeout_seconds: request.timeout_seconds,
        source_address: request.source_address.to_string(),
        received_at: 0,
        headers: Vec::new(),
    }
}

fn pairs(map: &BTreeMap<String, String>) -> Vec<(String, String)> {
    map.iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
