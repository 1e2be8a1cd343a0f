//! The audit log and the store stay consistent when the gateway is killed at any point.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway_audit::{Expected, PublicKey, SigningKey};
use gateway_core::{CheckpointId, Event, RequestId};
use http::{Method, StatusCode};
use rustix::process::Signal;

use crate::storage::metadata;
use crate::support::world::{pod, set, write};
use crate::support::{Client, Gateway, World, in_time};

/// The number of kills, unless the environment's `KILLS` gives another.
const KILLS: usize = 200;
/// The longest time between the first request, or the first answer, and the kill.
const LATEST: Duration = Duration::from_millis(200);
/// The pods that are captured at the same time.
const PODS: [&str; 3] = ["cart-0", "cart-1", "cart-2"];

/// The request and checkpoint of each answer with success.
type Acknowledged = Arc<Mutex<Vec<(RequestId, CheckpointId)>>>;

/// Requests one checkpoint after the other until the gateway is gone.
async fn load(client: Client, path: String, acknowledged: Acknowledged) {
    while let Ok(answer) = client
        .try_send(Method::POST, &path, bytes::Bytes::new())
        .await
    {
        if answer.status == StatusCode::OK {
            let archive = answer.json()["items"][0].as_str().unwrap().to_owned();
            let id = metadata(archive.as_ref())["id"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            acknowledged
                .lock()
                .unwrap()
                .push((answer.header("x-request-id").parse().unwrap(), id));
        }
    }
}

/// A random time of at most [`LATEST`].
fn random_delay() -> Duration {
    let mut byte = [0];
    aws_lc_rs::rand::fill(&mut byte).unwrap();
    LATEST * u32::from(byte[0]) / 255
}

/// The intents and outcomes in the log.
#[derive(Default)]
struct Recorded {
    intents: BTreeMap<RequestId, CheckpointId>,
    /// Status and checkpoint of each outcome.
    outcomes: BTreeMap<RequestId, Vec<(u16, Option<CheckpointId>)>>,
}

fn recorded(world: &World) -> Recorded {
    let mut recorded = Recorded::default();
    for entry in gateway_audit::read(&world.audit_log()).unwrap() {
        let record = entry.unwrap().record;
        match record.event {
            Event::Intent { checkpoint_id, .. } => {
                recorded.intents.insert(record.request_id, checkpoint_id);
            }
            Event::Outcome(outcome) => {
                let outcomes = recorded.outcomes.entry(record.request_id).or_default();
                outcomes.push((outcome.status, outcome.checkpoint_id));
            }
            _ => {}
        }
    }
    recorded
}

/// A world whose gateway was killed once, and which closes and compresses files and signs heads often.
async fn stopped() -> (World, PublicKey) {
    let mut world = World::with(|config| {
        set(config, "audit.segment-bytes", 65_536);
        set(config, "audit.head-records", 16);
        set(config, "telemetry.log-level", "info");
    })
    .await;
    kill(&mut world).await;
    let key = world.directory.path().join("audit.key");
    let public = SigningKey::generate(&key).unwrap();
    set(&mut world.config, "audit.key-file", key.to_str().unwrap());
    (world, public)
}

async fn kill(world: &mut World) {
    world.gateway.signal(Signal::KILL);
    world.gateway.wait().await;
}

/// Starts a gateway, and kills it while callers request checkpoints; after it has answered one of them if `late`.
async fn start_and_kill(world: &mut World, config: &Path, late: bool, acknowledged: &Acknowledged) {
    world.gateway = Gateway::start(config).await;
    // Without given keys, since the first head may still be missing.
    gateway_audit::verify(&world.audit_log(), &Expected::default()).unwrap();
    let client = world.client("alice");
    let load = |pod: &&str| {
        tokio::task::spawn(load(
            client.clone(),
            format!("/checkpoint/shop/{pod}/app"),
            Arc::clone(acknowledged),
        ))
    };
    let answered = || acknowledged.lock().unwrap().len();
    let before = answered();
    let callers: Vec<_> = PODS.iter().map(load).collect();
    let one = async {
        while late && answered() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time(one).await;
    tokio::time::sleep(random_delay()).await;
    kill(world).await;
    for caller in callers {
        caller.await.unwrap();
    }
}

/// Every acknowledged checkpoint has its intent and one outcome, and so has every other intent.
fn check_outcomes(recorded: &Recorded, acknowledged: &[(RequestId, CheckpointId)]) {
    for (request, checkpoint) in acknowledged {
        assert_eq!(recorded.intents.get(request), Some(checkpoint));
        assert_eq!(
            recorded.outcomes.get(request),
            Some(&vec![(200, Some(*checkpoint))])
        );
    }
    for request in recorded.intents.keys() {
        assert_eq!(
            recorded.outcomes.get(request).map(Vec::len),
            Some(1),
            "{request}"
        );
    }
}

/// No archive was captured without an intent, and no unpublished work is left.
fn check_archives(world: &World, recorded: &Recorded) {
    let intended: BTreeSet<_> = recorded.intents.values().map(ToString::to_string).collect();
    for archive in world
        .published()
        .iter()
        .filter_map(|name| name.strip_suffix(".json"))
    {
        let id = metadata(&world.checkpoints().join(archive))["id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            intended.contains(&id),
            "{id} was captured without an intent"
        );
    }
    assert_eq!(
        std::fs::read_dir(world.checkpoints().join(".incoming"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_at_any_point_loses_no_acknowledged_record() {
    let kills = std::env::var("KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let (mut world, public) = stopped().await;
    let mut pods = Vec::new();
    for name in PODS.iter().skip(1) {
        pods.push(world.node.run_pod(pod(name)).await.unwrap());
    }
    let config = write(world.directory.path(), &world.config);
    let acknowledged = Acknowledged::default();
    for round in 0..kills {
        start_and_kill(&mut world, &config, round % 4 == 0, &acknowledged).await;
    }

    let mut world = world.restarted().await;
    world.gateway.signal(Signal::TERM);
    assert!(world.gateway.wait().await.success());
    let expected = Expected {
        keys: vec![public],
        ..Expected::default()
    };
    gateway_audit::verify(&world.audit_log(), &expected).unwrap();
    let (recorded, acknowledged) = (recorded(&world), acknowledged.lock().unwrap().clone());
    assert!(
        acknowledged.len() >= kills / 4,
        "too few requests were answered: {}",
        acknowledged.len()
    );
    check_outcomes(&recorded, &acknowledged);
    check_archives(&world, &recorded);
    let closed = recorded
        .outcomes
        .values()
        .flatten()
        .filter(|(status, _)| *status == 0)
        .count();
    eprintln!(
        "{kills} kills: {} acknowledged, {} intents, {closed} of them closed as unknown",
        acknowledged.len(),
        recorded.intents.len()
    );
}
