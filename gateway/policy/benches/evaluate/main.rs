//! Measures the cost of a policy as ratios of two measurements in one run, because absolute figures depend on the machine.
//!
//! `cargo bench -p gateway-policy` prints each figure with its bound, and fails if a figure misses its bound.
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

/// Whether the arguments name this part or no part: `cargo bench -p gateway-policy -- deadline`.
fn wanted(part: &str) -> bool {
    let mut named = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .peekable();
    named.peek().is_none() || named.any(|argument| argument == part)
}

/// (a), (b), (c): a plain wasmtime loop, our whole evaluation, and a call of a warm instance, interleaved.
fn latency(figures: &mut Figures, policy: &Policy) {
    let request = request();
    let raw = raw::Raw::new(&allowlist().file);
    let mut warm = raw.warm(r#"{"namespaces":["shop","web-*"]}"#);
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    let arguments = raw::request(&request);
    for _ in 0..ROUNDS {
        let [fresh, ours, again] = &mut times;
        sample(fresh, || raw.call(&arguments));
        sample(ours, || {
            assert_eq!(policy.authorize(&request).0.unwrap().0, Decision::Allow);
        });
        sample(again, || warm.call(&arguments));
    }
    let [fresh, ours, again] = times.map(|mut times| percentile(&mut times, 50));
    println!(
        "raw {fresh:?}, ours {ours:?}, warm {again:?} (p50 of {} each)",
        ROUNDS * CALLS
    );
    figures.check("ours / raw", ratio(ours, fresh), "at most", 0.7);
    figures.check("ours / warm", ratio(ours, again), "at most", 4.0);
}

/// (d): the time until an endless guest is interrupted.
fn deadline(figures: &mut Figures, engine: &Engine) {
    let mut spec = hostile("loop");
    spec.limits.deadline_milliseconds = 10;
    let policy = Policy::load(engine, &spec, None).unwrap();
    let request = request();
    let mut times: Vec<_> = (0..300)
        .map(|_| timed(|| assert!(policy.authorize(&request).0.is_err())))
        .collect();
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    println!(
        "a deadline of 10 ms: p50 {p50:?}, p99 {p99:?}, longest {:?}",
        times.last().unwrap()
    );
    figures.check(
        "a deadline of 10 ms, p99, in ms",
        p99.as_secs_f64() * 1e3,
        "at most",
        20.0,
    );
}

/// (e): calls per second of one thread and of two, interleaved with arithmetic that shares nothing, which shows how much a
/// second thread can gain on this machine.
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
    // The best of each, because other load only makes it slower.
    let [one, two, alone, apart] = rates.map(|rates| rates.into_iter().fold(0.0, f64::max));
    println!(
        "one thread {one:.0}/s, two threads {two:.0}/s (best of 9); arithmetic {:.2}",
        apart / alone
    );
    figures.check("two threads / one", two / one, "at least", 1.0);
}

/// (f): loading a policy with compilation and from the cache.
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
        );
    };
    let mut compiled: Vec<_> = (0..10).map(|_| timed(|| load(None))).collect();
    load(Some(&cache));
    let mut cached: Vec<_> = (0..100).map(|_| timed(|| load(Some(&cache)))).collect();
    let (compiled, cached) = (percentile(&mut compiled, 50), percentile(&mut cached, 50));
    println!("compiled {compiled:?}, from the cache {cached:?} (p50)");
    figures.check(
        "compiled / from the cache",
        ratio(compiled, cached),
        "at least",
        100.0,
    );
}

/// Compares figures with their bounds.
struct Figures {
    missed: bool,
}

impl Figures {
    fn check(&mut self, name: &str, figure: f64, relation: &str, bound: f64) {
        let met = if relation == "at most" {
            figure <= bound
        } else {
            figure >= bound
        };
        self.missed |= !met;
        println!(
            "  {name}: {figure:.2}, {relation} {bound}: {}",
            if met { "met" } else { "MISSED" }
        );
    }
}

fn sample(times: &mut Vec<Duration>, mut call: impl FnMut()) {
    times.extend((0..CALLS).map(|_| timed(&mut call)));
}

fn timed(call: impl FnOnce()) -> Duration {
    let started = Instant::now();
    call();
    started.elapsed()
}

fn rate(threads: usize, call: impl Fn() + Sync) -> f64 {
    const EACH: usize = 10_000;
    let barrier = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        let work = || {
            barrier.wait();
            (0..EACH).for_each(|_| call());
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        barrier.wait();
        let started = Instant::now();
        for worker in workers {
            worker.join().unwrap();
        }
        count(EACH * threads) / started.elapsed().as_secs_f64()
    })
}

/// Takes about as long as a call.
fn arithmetic() {
    for n in 0..10_000_u64 {
        std::hint::black_box(n);
    }
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap())
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    *times
        .get((times.len() * percent / 100).min(times.len() - 1))
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
        opaque: None,
        limits: Limits::default(),
        wasi: Wasi::None,
    }
}

/// A typical request of a cluster: some groups, a dozen labels, claims.
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
