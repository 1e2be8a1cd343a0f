//! Measures for how long a container stays paused, against a direct call to a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gateway_cri::{CheckpointPermit, Limits, Runtime};
use gateway_node::{ContainerSpec, Dialect, Node, Options, Pod};
use http::StatusCode;
use serde_json::json;

use super::{files_below, sealing, state};
use crate::policies::{allowlist, governed};
use crate::redaction::environment;
use crate::support::world::{Credentials, SECRET, set, write};
use crate::support::{Client, Gateway, Receiver, steps};

/// A gateway beside the node, with a store of its own.
struct Way {
    name: &'static str,
    _gateway: Gateway,
    client: Client,
    store: PathBuf,
}

impl Way {
    async fn start(
        name: &'static str,
        node: &Node,
        home: &Path,
        receiver: &Receiver,
        change: impl FnOnce(&mut toml::Table),
    ) -> Self {
        let directory = home.join(name.replace(' ', "-"));
        std::fs::create_dir(&directory).unwrap();
        let store = directory.join("checkpoints");
        let credentials = Credentials::new();
        let mut config = credentials.configure(&directory, node.socket(), &store);
        set(&mut config, "telemetry.log-level", "info");
        let endpoint = format!("http://{}", receiver.grpc);
        set(&mut config, "telemetry.otlp-endpoint", endpoint);
        change(&mut config);
        let gateway = Gateway::start(&write(&directory, &config)).await;
        let client = Client::new(gateway.address, credentials.authority.pem());
        Self {
            name,
            client: client.with_token(&credentials.token("alice")),
            _gateway: gateway,
            store,
        }
    }

    /// Returns the id of the trace.
    async fn take(&self) -> String {
        let answer = self.client.post("/checkpoint/shop/large/app").await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let archives = files_below(&self.store).into_iter();
        for file in archives.filter(|file| !file.ends_with(".lock")) {
            std::fs::remove_file(file).unwrap();
        }
        answer.header("x-trace-id").to_owned()
    }
}

fn redacted(config: &mut toml::Table) {
    set(config, "policy-engine.cache-directory", "");
    governed(config, &json!([allowlist(&["shop"]), environment()]));
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// A container with that many bytes of memory that do not compress.
async fn large(node: &Node, bytes: u64) -> u32 {
    let script = format!("(head -c {bytes} /dev/urandom; exec sleep 100000) | tail -c {bytes}");
    let app = ContainerSpec::new("app", ["/bin/sh", "-c", &script]);
    let app = app.env("PATH", "/usr/bin:/bin").env("API_KEY", SECRET);
    let pod = node
        .run_pod(Pod::new("shop", "large", [app]))
        .await
        .unwrap();
    let resident = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        (parent.trim() == pod.containers[0].pid.to_string()).then_some(kib << 10)
    };
    loop {
        let processes = std::fs::read_dir("/proc").unwrap();
        let ids = processes.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        if ids.filter_map(resident).any(|resident| resident >= bytes) {
            return pod.containers[0].pid;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The time from the first moment at which a process was seen stopped to the last, while `work` ran.
async fn paused<T>(pid: u32, work: impl Future<Output = T>) -> (Duration, T) {
    let done = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&done);
    let watch = tokio::task::spawn_blocking(move || {
        let mut seen: Option<(Instant, Instant)> = None;
        while !over.load(Ordering::Relaxed) {
            if state(pid) == Some('T') {
                let now = Instant::now();
                seen = Some((seen.map_or(now, |(first, _)| first), now));
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        seen.map_or(Duration::ZERO, |(first, last)| last - first)
    });
    let worked = work.await;
    done.store(true, Ordering::Relaxed);
    (watch.await.unwrap(), worked)
}

async fn permit(runtime: &Runtime) -> CheckpointPermit {
    let target = "shop/large/app".parse().unwrap();
    let container = runtime.resolve(&target).await.unwrap();
    runtime.permit(&container).await.unwrap()
}

/// The speed of a plain file that is synced at its end, in GB/s.
fn disk(home: &Path, bytes: u64) -> f64 {
    let path = home.join("speed-of-the-disk");
    let block = vec![0x5a; 1 << 20];
    let began = Instant::now();
    let mut file = std::fs::File::create(&path).unwrap();
    for _ in 0..bytes >> 20 {
        std::io::Write::write_all(&mut file, &block).unwrap();
    }
    file.sync_all().unwrap();
    let took = began.elapsed();
    std::fs::remove_file(path).unwrap();
    Duration::from_nanos(bytes).div_duration_f64(took)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn ways(node: &Node, home: &Path, receiver: &Receiver) -> [Way; 4] {
    [
        Way::start("plain", node, home, receiver, |_| {}).await,
        Way::start("redacted", node, home, receiver, redacted).await,
        Way::start("redacted and sealed", node, home, receiver, |config| {
            redacted(config);
            sealing(config);
        })
        .await,
        Way::start(
            "redacted and sealed without a spool",
            node,
            home,
            receiver,
            |config| {
                redacted(config);
                sealing(config);
                set(config, "checkpoints.transport", "fifo");
            },
        )
        .await,
    ]
}

/// Not a test of time: it prints the ratios of the ways, taken in turn, and fails only where one does not work.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: cargo test --release -p gateway-daemon -p gateway-ckpt --test program --test suite paused -- --ignored --nocapture"]
async fn measure_the_time_for_which_a_container_is_paused() {
    let (bytes, rounds) = (number("PAUSED_MIB", 1024) << 20, number("ROUNDS", 5));
    let home = tempfile::tempdir().unwrap();
    let mut options = Options::new(home.path().join("cri.sock"), home.path().join("node"));
    options.dialect = Dialect::CriO;
    "cri-o".clone_into(&mut options.name);
    let node = Node::start(options).await.unwrap();
    let pid = large(&node, bytes).await;
    let receiver = Receiver::start().await;
    let ways = ways(&node, home.path(), &receiver).await;
    let limits = Limits {
        running: 1,
        waiting: 1,
        waiting_per_container: 1,
    };
    let runtime = Runtime::new(node.socket(), limits, Arc::new(Vec::new));
    let direct = home.path().join("direct.tar");
    let mut ratios = [const { Vec::new() }; 4];
    for round in 0..=rounds {
        rustix::fs::sync();
        let permit = permit(&runtime).await;
        let (alone, ()) = paused(pid, async {
            runtime.checkpoint(&permit, &direct).await.unwrap();
        })
        .await;
        drop(permit);
        std::fs::remove_file(&direct).unwrap();
        eprintln!("round {round}: direct to a file, paused for {alone:.2?}");
        for (way, ratios) in ways.iter().zip(&mut ratios) {
            rustix::fs::sync();
            let began = Instant::now();
            let (time, trace) = paused(pid, way.take()).await;
            let (name, whole) = (way.name, began.elapsed());
            let ratio = time.as_secs_f64() / alone.as_secs_f64();
            eprintln!("  {name}: paused for {time:.2?} of {whole:.2?}, ratio {ratio:.3}");
            if round > 0 {
                ratios.push(ratio); // the first is a warm-up
            }
            if round == rounds {
                steps::print(&receiver, &trace).await;
            }
        }
    }
    for (way, ratios) in ways.iter().zip(&mut ratios) {
        let (name, ratio) = (way.name, median(ratios));
        eprintln!("{name}: paused {ratio:.3} times as long as with a direct call, by the median");
    }
    let speed = disk(home.path(), bytes);
    eprintln!("a plain file of that size, synced: {speed:.2} GB/s");
}
