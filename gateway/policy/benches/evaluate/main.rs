//! What a policy costs, as ratios of two things measured in one run: absolute figures are of this machine and this hour.
//!
//! `cargo bench -p gateway-policy` prints each figure beside what it must be, and fails where one is missed.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on fails here"
)]

mod raw;

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use gateway_core::{
    Action, Container, CredentialKind, Decision, Identity, Request, RequestId, Target,
};
use gateway_policy::{Cache, Engine, Limits, Mode, Policies, Policy, Spec, Wasi};

const MEMORY: usize = 64 << 20;
const ROUNDS: usize = 60;
const CALLS: usize = 200;

fn main() -> ExitCode {
    let engine = Engine::new(8, MEMORY).unwrap();
    let policy = Policy::load(&engine, &allowlist(), None).unwrap();
    let mut figures = Figures { missed: false };
    if wanted("latency") {
        latency(&mut figures, &policy);
    }
    if wanted("deadline") {
        deadline(&mut figures, &engine);
    }
    if wanted("throughput") {
        throughput(&mut figures, &policy);
    }
    if wanted("loading") {
        loading(&mut figures, &engine);
    }
    if figures.missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Whether the arguments name this part, or none: `cargo bench -p gateway-policy -- deadline`.
fn wanted(part: &str) -> bool {
    let mut named = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .peekable();
    named.peek().is_none() || named.any(|argument| argument == part)
}

/// (a), (b), (c): a raw loop, our whole evaluation, and a warm call, in turns.
fn latency(figures: &mut Figures, policy: &Policy) {
    let request = request();
    let raw = raw::Raw::new(&allowlist().file);
    let mut warm = raw.warm(r#"{"namespaces":["shop","web-*"]}"#);
    let mut took = [Vec::new(), Vec::new(), Vec::new()];
    let arguments = raw::request(&request);
    for _ in 0..ROUNDS {
        let [fresh, ours, again] = &mut took;
        times(fresh, || raw.call(&arguments));
        times(ours, || {
            assert_eq!(policy.authorize(&request).0.unwrap().0, Decision::Allow)
        });
        times(again, || warm.call(&arguments));
    }
    let [fresh, ours, again] = took.map(|mut took| percentile(&mut took, 50));
    println!(
        "raw {fresh:?}, ours {ours:?}, warm {again:?} (p50 of {} each)",
        ROUNDS * CALLS
    );
    figures.tell("ours / raw", ratio(ours, fresh), "at most", 0.7);
    figures.tell("ours / warm", ratio(ours, again), "at most", 4.0);
}

/// (d): when a guest without an end is ended.
fn deadline(figures: &mut Figures, engine: &Engine) {
    let mut spec = hostile("loop");
    spec.limits.deadline_milliseconds = 10;
    let policy = Policy::load(engine, &spec, None).unwrap();
    let request = request();
    let mut took: Vec<_> = (0..300)
        .map(|_| timed(|| assert!(policy.authorize(&request).0.is_err())))
        .collect();
    let (p50, p99) = (percentile(&mut took, 50), percentile(&mut took, 99));
    println!(
        "a deadline of 10 ms: p50 {p50:?}, p99 {p99:?}, longest {:?}",
        took.last().unwrap()
    );
    figures.tell(
        "a deadline of 10 ms, p99, in ms",
        p99.as_secs_f64() * 1e3,
        "at most",
        20.0,
    );
}

/// (e): calls per second of one thread and of two, in turns, beside arithmetic that shares nothing: what the machine gives
/// a second thread at this hour.
fn throughput(figures: &mut Figures, policy: &Policy) {
    let request = request();
    let mut rates = [const { Vec::new() }; 4];
    for _ in 0..9 {
        let [one, two, alone, apart] = &mut rates;
        one.push(rate(1, || drop(policy.authorize(&request))));
        two.push(rate(2, || drop(policy.authorize(&request))));
        alone.push(rate(1, arithmetic));
        apart.push(rate(2, arithmetic));
    }
    // The best of each: whatever else the machine does only takes away.
    let [one, two, alone, apart] = rates.map(|rates| rates.into_iter().fold(0.0, f64::max));
    println!(
        "one thread {one:.0}/s, two threads {two:.0}/s (best of 9); arithmetic {:.2}",
        apart / alone
    );
    figures.tell("two threads / one", two / one, "at least", 1.0);
}

/// (f): a policy that is compiled, and one that comes from the cache.
fn loading(figures: &mut Figures, engine: &Engine) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    let load = |cache| {
        assert_eq!(
            Policies::load(1, None, vec![allowlist()], engine, cache)
                .broken()
                .count(),
            0
        )
    };
    let mut compiled: Vec<_> = (0..10).map(|_| timed(|| load(None))).collect();
    load(Some(&cache));
    let mut kept: Vec<_> = (0..100).map(|_| timed(|| load(Some(&cache)))).collect();
    let (compiled, kept) = (percentile(&mut compiled, 50), percentile(&mut kept, 50));
    println!("compiled {compiled:?}, from the cache {kept:?} (p50)");
    figures.tell(
        "compiled / from the cache",
        ratio(compiled, kept),
        "at least",
        100.0,
    );
}

struct Figures {
    missed: bool,
}

impl Figures {
    fn tell(&mut self, what: &str, is: f64, bound: &str, must: f64) {
        let held = if bound == "at most" {
            is <= must
        } else {
            is >= must
        };
        self.missed |= !held;
        println!(
            "  {what}: {is:.2}, {bound} {must}: {}",
            if held { "held" } else { "MISSED" }
        );
    }
}

fn times(took: &mut Vec<Duration>, mut call: impl FnMut()) {
    took.extend((0..CALLS).map(|_| timed(&mut call)));
}

fn timed(call: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    call();
    begun.elapsed()
}

fn rate(threads: usize, call: impl Fn() + Sync) -> f64 {
    const EACH: usize = 10_000;
    let together = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        let work = || {
            together.wait();
            (0..EACH).for_each(|_| call());
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        together.wait();
        let begun = Instant::now();
        for worker in workers {
            worker.join().unwrap();
        }
        count(EACH * threads) / begun.elapsed().as_secs_f64()
    })
}

/// About as long as a call takes.
fn arithmetic() {
    for n in 0..10_000_u64 {
        std::hint::black_box(n);
    }
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap())
}

fn percentile(took: &mut [Duration], percent: usize) -> Duration {
    took.sort_unstable();
    *took
        .get((took.len() * percent / 100).min(took.len() - 1))
        .unwrap()
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

fn allowlist() -> Spec {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("policies/namespace-allowlist/namespace-allowlist.wasm");
    spec(file, "namespaces", serde_json::json!(["shop", "web-*"]))
}

fn hostile(deed: &str) -> Spec {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/hostile/authorizer.wasm");
    spec(file, "do", deed.into())
}

fn spec(file: PathBuf, key: &str, value: serde_json::Value) -> Spec {
    Spec {
        name: "measured".to_owned(),
        file,
        sha256: None,
        settings: [(key.to_owned(), value)].into_iter().collect(),
        actions: Vec::new(),
        namespaces: Vec::new(),
        pod_labels: BTreeMap::new(),
        mode: Mode::Enforce,
        limits: Limits::default(),
        wasi: Wasi::None,
    }
}

/// A request as it comes from a cluster: some groups, a dozen labels, claims.
fn request() -> Request {
    let pairs = |prefix: &str| {
        (0..6)
            .map(|n| (format!("{prefix}/key-{n}"), format!("value-{n}")))
            .collect()
    };
    let claims = serde_json::json!({"sub": "alice", "aud": ["gateway"], "exp": 1_900_000_000, "email": "alice@example"});
    Request {
        id: RequestId::from(uuid::Uuid::nil()),
        action: Action::Create,
        identity: Identity {
            user: "alice@example".into(),
            groups: ["sec", "oncall", "shop-developers"]
                .map(String::from)
                .into(),
            credential: CredentialKind::BearerToken,
            issuer: "https://issuer.example".into(),
            claims: claims.as_object().unwrap().clone(),
        },
        target: Container {
            target: Target::new("shop", "cart-0", "app").unwrap(),
            id: "a".repeat(64),
            sandbox_id: "b".repeat(64),
            pod_uid: "5c1f7a2e-6d0b-4d39-9f1d-2f6f0c8f3b11".into(),
            image: "registry.example/shop/cart@sha256:1".into(),
            labels: pairs("app.kubernetes.io"),
            annotations: pairs("io.kubernetes.container"),
            pod_labels: pairs("app.kubernetes.io"),
            pod_annotations: BTreeMap::new(),
            memory_bytes: None,
        },
        archive: None,
        latest: None,
        reason: Some("INC-1".into()),
        timeout_seconds: Some(30),
        source_address: [127, 0, 0, 1].into(),
        received_at: jiff::Timestamp::UNIX_EPOCH,
        headers: BTreeMap::new(),
    }
}
