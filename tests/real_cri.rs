//! Beside a real containerd, which `tests/real-cri/run` brings up. Without one these tests say so and do nothing, unless
//! `REAL_CRI_REQUIRED` is set.

mod harness;
mod interruptions;
mod secrets;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use harness::{Containerd, Counter, Front};
use http::StatusCode;
use serde_json::json;

use crate::archive_commands::told as exported;
use crate::policies::{allowlist, component, governed};
use crate::redaction::showing;
use crate::storage::{metadata, mode, sha256sum};
use crate::support::world::set;
use crate::support::{Receiver, steps};

/// The largest container here, in MiB: its checkpoint takes seconds, so that there is time to interfere.
const LARGE: u32 = 1024;

/// In the environment of every container here, and a copy of it in its memory and in its log.
const SECRET: &str = "hunter2hunter2";

/// The name of the spans on both sides of the call.
const RPC: &str = "runtime.v1.RuntimeService/CheckpointContainer";

fn members(archive: &Path) -> BTreeSet<String> {
    let mut tar = tar::Archive::new(std::fs::File::open(archive).unwrap());
    tar.entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect()
}

/// The same names without process ids: the counter's `sleep` is another process each second.
fn kinds(archive: &Path) -> BTreeSet<String> {
    let of_a_process = ["core-", "fs-", "ids-", "mm-", "pagemap-"];
    let kind = |name: String| match name.strip_prefix("checkpoint/") {
        Some(image) if of_a_process.iter().any(|prefix| image.starts_with(prefix)) => {
            image.split('-').next().unwrap().to_owned()
        }
        _ => name,
    };
    members(archive).into_iter().map(kind).collect()
}

/// The largest resident set that a process has had, in KiB.
fn peak_rss(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_the_one_that_a_direct_call_makes() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let counter = Counter::start(&containerd, "whole", 100);
    let front = Front::start(&containerd, |_| {}).await;
    let archive = front.take(&counter).await;
    let direct = containerd.share.join("direct.tar");
    containerd.call(
        "CheckpointContainer",
        &[
            &format!("1={}", counter.container_id),
            &format!("2={}", direct.display()),
        ],
    );
    assert_eq!(kinds(&archive), kinds(&direct));
    assert!(
        members(&archive).contains("checkpoint/pages-1.img"),
        "{:?}",
        members(&archive)
    );
    std::fs::remove_file(direct).unwrap();
    assert_eq!(
        (mode(&archive), mode(archive.parent().unwrap())),
        (0o600, 0o700)
    );
    let metadata = metadata(&archive);
    assert_eq!(metadata["sha256"], sha256sum(&archive));
    assert_eq!(metadata["container_id"], counter.container_id);
    assert_eq!(metadata["image"], "localhost/box:1");
    assert_eq!(
        (&metadata["runtime"]["name"], &metadata["transport"]),
        (&"containerd".into(), &"fifo".into())
    );
    assert!(
        metadata["bytes"].as_u64().unwrap() > 100 << 20,
        "{metadata}"
    );
    let path = archive.to_str().unwrap();
    assert!(
        containerd
            .checkpointctl(&["show", path])
            .contains("localhost/box:1")
    );
    assert!(
        containerd
            .checkpointctl(&["inspect", "--ps-tree", path])
            .contains("awk")
    );
    counter.goes_on(counter.ticks());
}

/// Whose archives show nothing of what is secret in the environment.
fn redacting(config: &mut toml::Table) {
    let redactor = json!({ "name": "environment", "file": component("redact-environment") });
    set(config, "policy-engine.cache-directory", "");
    governed(config, &json!([allowlist(&["shop"]), redactor]));
}

/// The same, with the original sealed for somebody who is not here.
fn sealing(config: &mut toml::Table) {
    redacting(config);
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let originals = json!({ "keep": "sealed", "recipients": [recipient] });
    config.insert(
        "originals".to_owned(),
        toml::Value::try_from(originals).unwrap(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_archive_shows_no_secret_and_still_restores() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let counter = Counter::start(&containerd, "masked", 64);
    let plain = Front::start(&containerd, |_| {}).await;
    let shown = showing(&plain.take(&counter).await, SECRET);
    for member in ["checkpoint/pages-1.img", "spec.dump", "container.log"] {
        assert!(shown.contains(&member.to_owned()), "{member}: {shown:?}");
    }
    let front = Front::start(&containerd, redacting).await;
    let archive = front.take(&counter).await;
    assert_eq!(showing(&archive, SECRET), Vec::<String>::new());
    let told = metadata(&archive);
    assert_eq!(told["redaction"]["passes"], 1, "{told}");
    assert!(
        containerd
            .checkpointctl(&["inspect", "--ps-tree", archive.to_str().unwrap()])
            .contains("awk")
    );
    drop(counter);
    let restored = Counter::restore(&containerd, "restored", &archive);
    restored.goes_on(1);
    let log = std::fs::read_to_string(&restored.log).unwrap();
    assert!(log.lines().all(|line| !line.contains(SECRET)), "{log}");
    assert!(
        log.lines()
            .last()
            .unwrap()
            .ends_with(&"*".repeat(SECRET.len())),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_archive_is_an_image_that_the_runtime_restores() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let counter = Counter::start(&containerd, "kept", 16);
    let front = Front::start(&containerd, redacting).await;
    let archive = front.take(&counter).await;
    let seen = counter.ticks();
    drop(counter);
    let layout = front.directory.path().join("image");
    let (layout_text, archive_text) = (layout.to_str().unwrap(), archive.to_str().unwrap());
    exported(&[
        "export",
        "--oci",
        layout_text,
        "--tag",
        "localhost/kept:1",
        archive_text,
    ]);
    containerd.import(&layout, "localhost/kept:1");
    let restored = Counter::from_image(&containerd, "kept-restored", &archive, "localhost/kept:1");
    restored.goes_on(seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plaintext_has_no_other_name_on_its_way() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let counter = Counter::start(&containerd, "names", 256);
    let front = Front::start(&containerd, |_| {}).await;
    let client = front.client();
    let path = counter.path();
    let request = tokio::task::spawn(async move { client.post(&path).await });
    let mut seen = BTreeSet::new();
    while !request.is_finished() {
        seen.extend(front.files());
        tokio::task::yield_now().await;
    }
    assert_eq!(request.await.unwrap().status, StatusCode::OK);
    seen.extend(front.files());
    let [archive] = front.archives().try_into().unwrap();
    let on_its_way = ["archive", "archive.tar", archive.as_str()]; // the FIFO, what we write, what it becomes
    let holds_no_memory = |name: &str| {
        name.contains("lock")
            || Path::new(name)
                .extension()
                .is_some_and(|kind| kind == "json")
    };
    let others: Vec<_> = seen
        .iter()
        .map(String::as_str)
        .filter(|name| !on_its_way.contains(name))
        .collect();
    assert!(
        others.iter().all(|name| holds_no_memory(name)),
        "{others:?}"
    );
    assert!(
        seen.contains("archive.tar"),
        "nothing was seen on its way: {seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn containerds_own_spans_hang_under_ours() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let counter = Counter::start(&containerd, "traced", 4);
    let address = containerd
        .otlp
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let receiver = Receiver::start_at(address.parse().unwrap()).await;
    let endpoint = format!("http://{}", receiver.grpc);
    let front = Front::start(&containerd, |config| {
        set(config, "telemetry.otlp-endpoint", endpoint);
    })
    .await;
    let answer = front.client().post(&counter.path()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let trace = answer.header("x-trace-id").to_owned();
    let of = |service: &'static str, name: &'static str| {
        let trace = trace.clone();
        move |seen: &crate::support::receiver::Seen| {
            seen.trace_id() == trace && seen.service == service && seen.span.name == name
        }
    };
    let (ours, theirs) = (of("checkpoint-gateway", RPC), of("containerd", RPC));
    let spans = receiver
        .wait(|spans| spans.iter().any(&ours) && spans.iter().any(&theirs))
        .await;
    let client = spans.iter().find(|seen| ours(seen)).unwrap();
    let server = spans.iter().find(|seen| theirs(seen)).unwrap();
    assert!(
        server.is_below(client),
        "containerd's server span is not below our client span"
    );
    for step in ["task.Pause", "task.Resume"] {
        assert!(spans.iter().any(of("containerd", step)), "{step}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_in_the_kubelets_words() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let counter = Counter::start(&containerd, "words", 1);
    let front = Front::start(&containerd, |_| {}).await;
    let detail = async |path: &str| front.client().post(path).await.detail();
    assert_eq!(
        detail("/checkpoint/shop/none/app").await,
        "pod does not exist"
    );
    assert_eq!(
        detail("/checkpoint/shop/words/none").await,
        "container none does not exist"
    );
    containerd.call("StopContainer", &[&format!("1={}", counter.container_id)]);
    assert_eq!(
        detail(&counter.path()).await,
        "checkpointing of shop/words/app failed (container app not found)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_small_while_a_large_container_streams() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let counter = Counter::start(&containerd, "large", LARGE);
    let front = Front::start(&containerd, |_| {}).await;
    let archive = front.take(&counter).await;
    assert!(std::fs::metadata(archive).unwrap().len() > u64::from(LARGE) << 20);
    let peak = peak_rss(front.gateway.pid());
    eprintln!("peak resident set: {peak} KiB");
    assert!(peak < 64 << 10, "{peak} KiB");
}

/// Not a test of time: it prints the ratios of the ways, taken in turn, and fails only where one does not work.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: tests/real-cri/run --ignored --nocapture"]
async fn measure_the_gateway_against_the_direct_call() {
    let Some(containerd) = Containerd::find() else {
        return;
    };
    let counter = Counter::start(&containerd, "measured", LARGE);
    let receiver = Receiver::start().await;
    let front = async |change: fn(&mut toml::Table)| {
        let endpoint = format!("http://{}", receiver.grpc);
        Front::start(&containerd, |config| {
            set(config, "telemetry.otlp-endpoint", endpoint);
            change(config);
        })
        .await
    };
    let ways = [
        ("plain", front(|_| {}).await),
        ("redacted", front(redacting).await),
        ("redacted and sealed", front(sealing).await),
    ];
    let direct = containerd.share.join("direct.tar");
    let fields = [
        format!("1={}", counter.container_id),
        format!("2={}", direct.display()),
    ];
    let mut ratios = [const { Vec::new() }; 3];
    for round in 0..6 {
        let begun = Instant::now();
        containerd.call("CheckpointContainer", &[&fields[0], &fields[1]]);
        let alone = begun.elapsed();
        std::fs::remove_file(&direct).unwrap();
        for ((what, front), ratios) in ways.iter().zip(&mut ratios) {
            let begun = Instant::now();
            let (archive, trace) = front.traced(&counter).await;
            let ratio = begun.elapsed().as_secs_f64() / alone.as_secs_f64();
            std::fs::remove_file(&archive).unwrap();
            let _ = std::fs::remove_file(format!("{}.age", archive.display()));
            eprintln!("direct {alone:.2?}, {what} {ratio:.3}");
            if round > 0 {
                ratios.push(ratio); // the first is a warm-up
            }
            if round == 5 {
                steps::print(&receiver, &trace).await;
            }
        }
    }
    for ((what, _), ratios) in ways.iter().zip(&mut ratios) {
        ratios.sort_by(f64::total_cmp);
        eprintln!(
            "{what}, through the gateway over the direct call: median {:.3}",
            ratios[ratios.len() / 2]
        );
    }
}
