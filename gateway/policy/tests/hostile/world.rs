//! Helpers of these tests: an engine, requests and policies.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gateway_core::{
    Action, Container, CredentialKind, Decision, Identity, Request, RequestId, Target, Verdict,
};
use gateway_policy::{Engine, Limits, Mode, Policies, Spec, Wasi, decide};
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The policies that run at once, and the memory of each, in bytes.
pub(crate) const SLOTS: usize = 4;
pub(crate) const MEMORY: usize = 64 << 20;

/// Tests that measure the process run alone.
static PROCESS: RwLock<()> = RwLock::new(());

pub(crate) fn among_others() -> RwLockReadGuard<'static, ()> {
    PROCESS.read()
}

pub(crate) fn alone() -> RwLockWriteGuard<'static, ()> {
    PROCESS.write()
}

pub(crate) fn engine() -> Engine {
    Engine::new(SLOTS, MEMORY).unwrap()
}

/// A committed component of the hostile guest.
pub(crate) fn guest(world: &str) -> PathBuf {
    guest_of("hostile", world)
}

/// A committed component of one of the guests.
pub(crate) fn guest_of(guest: &str, component: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("guests")
        .join(guest)
        .join(format!("{component}.wasm"))
}

/// A hostile authorizer whose settings say `deed`. Its deadline only expires if the deed never ends.
pub(crate) fn authorizer(deed: &str) -> Spec {
    spec(guest("authorizer"), deed)
}

/// A hostile redactor whose settings say `deed`.
pub(crate) fn redactor(deed: &str) -> Spec {
    spec(guest("redactor"), deed)
}

pub(crate) fn spec(file: PathBuf, deed: &str) -> Spec {
    let limits = Limits {
        deadline_milliseconds: 5_000,
        ..Limits::default()
    };
    Spec {
        name: deed.to_owned(),
        file,
        sha256: None,
        settings: [("do".to_owned(), deed.into())].into_iter().collect(),
        actions: Vec::new(),
        namespaces: Vec::new(),
        pod_labels: BTreeMap::new(),
        mode: Mode::Enforce,
        opaque: None,
        limits,
        wasi: Wasi::None,
    }
}

pub(crate) fn with_deadline(spec: Spec, milliseconds: u64) -> Spec {
    Spec {
        limits: Limits {
            deadline_milliseconds: milliseconds,
            ..spec.limits
        },
        ..spec
    }
}

pub(crate) fn load(engine: &Engine, specs: Vec<Spec>) -> Policies {
    Policies::load(1, None, specs, engine, None)
}

/// The code of the denial; `None` if the request is allowed.
pub(crate) fn denied(verdicts: &[Verdict]) -> Option<String> {
    decide(verdicts).err().map(|(_, denial)| denial.code)
}

pub(crate) fn allows(policies: &Policies) -> bool {
    decide(&policies.authorize(&request("alice"))) == Ok(())
}

pub(crate) fn annotation<'a>(verdicts: &'a [Verdict], name: &str) -> &'a str {
    assert_eq!(verdicts[0].decision, Decision::Allow);
    &verdicts[0].annotations[name]
}

/// `user` asks for a checkpoint of a container in the namespace `shop`.
pub(crate) fn request(user: &str) -> Request {
    Request {
        id: RequestId::from(uuid::Uuid::nil()),
        action: Action::Create,
        identity: Identity {
            user: user.into(),
            groups: vec!["sec".into()],
            credential: CredentialKind::BearerToken,
            issuer: "https://issuer.example".into(),
            claims: serde_json::Map::new(),
        },
        target: Container {
            target: Target::new("shop", "cart-0", "app").unwrap(),
            id: "a".repeat(64),
            sandbox_id: "b".repeat(64),
            pod_uid: String::new(),
            image: "registry.example/cart:1".into(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            pod_labels: [("tier".to_owned(), "gold".to_owned())].into(),
            pod_annotations: BTreeMap::new(),
            memory_bytes: None,
        },
        archive: None,
        latest: None,
        reason: Some("INC-1".into()),
        timeout_seconds: None,
        source_address: [127, 0, 0, 1].into(),
        received_at: jiff::Timestamp::UNIX_EPOCH,
        headers: BTreeMap::new(),
    }
}

/// Bytes of memory that the process has now.
pub(crate) fn resident() -> usize {
    status("VmRSS:")
}

/// The most bytes of memory that the process had since `forget_peak`.
pub(crate) fn peak() -> usize {
    status("VmHWM:")
}

pub(crate) fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn status(key: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .unwrap();
    line.trim()
        .trim_end_matches(" kB")
        .parse::<usize>()
        .unwrap()
        << 10
}
