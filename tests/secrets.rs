//! 200 random secrets in the forms in which programs write them, in each place that a container has: the archive as the runtime
//! writes it shows all of them, the redacted one none. Here beside CRI-O's manner, in `real_cri` beside a real containerd.

pub mod decoder;
pub mod forms;
mod numbers;
pub mod planting;
pub mod view;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use gateway_cri::{Limits, Runtime};
use gateway_node::{ContainerSpec, Dialect, Pod};
use http::StatusCode;
use serde_json::json;

use crate::redaction::{environment, redacting};
use crate::storage::metadata;
use crate::support::{Client, World, in_time};
use decoder::{Texts, views};
use forms::Secret;
use planting::{Plant, Planting};
use view::View;

pub const COUNT: usize = 200;

/// The shortest part of a secret that counts in numbers, in bytes.
const PART: usize = 6;
/// The shortest that counts everywhere. A shorter one may be left where memory ends or was used again.
const CUT: usize = 15;

/// Checks that each plant stands where it was put.
pub fn check_plain(archive: &Path, secrets: &[Secret], plants: &[Plant]) {
    let texts = Texts::new(plants.iter().map(|plant| plant.text.clone()));
    let mut missing: HashSet<usize> = (0..plants.len()).collect();
    for view in views(archive) {
        let found = texts.found(&view.bytes).into_iter();
        for at in found.filter(|at| view.name.contains(plants[*at].view)) {
            missing.remove(&at);
        }
    }
    let mut missing: Vec<_> = missing
        .iter()
        .map(|at| told(secrets, &plants[*at]))
        .collect();
    missing.sort();
    assert_eq!(missing, [""; 0], "not in the plain archive");
}

/// Checks that no plant and no secret stands anywhere, nor, in numbers, a part of one. A short plant counts where it was put. `more` is what the gateway says elsewhere.
pub fn check_redacted(archive: &Path, more: &[View], secrets: &[Secret], plants: &[Plant]) {
    let mut names: Vec<String> = plants.iter().map(|plant| told(secrets, plant)).collect();
    let mut texts: Vec<Vec<u8>> = plants.iter().map(|plant| plant.text.clone()).collect();
    for (at, secret) in secrets.iter().enumerate() {
        for text in [secret.value.as_bytes(), secret.beginning(), &secret.text] {
            names.push(format!("{at}: {}", String::from_utf8_lossy(text)));
            texts.push(text.to_vec());
        }
    }
    let texts = Texts::new(texts);
    let parts = secrets.iter().flat_map(|secret| {
        let parts = secret.value.as_bytes().windows(PART);
        parts.map(<[u8]>::to_vec)
    });
    let parts = Texts::new(parts);
    let mut left = Vec::new();
    for view in views(archive).iter().chain(more) {
        let mut found = texts.found(&view.bytes);
        found.retain(|at| {
            let plant = plants.get(*at);
            let is_put_here = plant.is_some_and(|plant| view.name.contains(plant.view));
            is_put_here || texts.length(*at) >= CUT
        });
        left.extend(
            found
                .iter()
                .map(|at| format!("{}: {}", view.name, names[*at])),
        );
        if view.name.contains("(numbers") && !parts.found(&view.bytes).is_empty() {
            left.push(format!("{}: a part of a secret", view.name));
        }
    }
    assert_eq!(left, [""; 0], "still readable");
}

fn told(secrets: &[Secret], plant: &Plant) -> String {
    let (form, place) = (secrets[plant.secret].form, plant.place);
    format!("{}: {place}, {form}", plant.secret)
}

/// All that the gateway says of its newest checkpoint to this client.
pub async fn answers(client: &Client) -> Vec<View> {
    let listed = client.get("/v1/checkpoints").await;
    let id = listed.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let one = client.get(&format!("/v1/checkpoints/{id}")).await;
    assert_eq!(
        (listed.status, one.status),
        (StatusCode::OK, StatusCode::OK)
    );
    let view = |(name, answer): (&str, crate::support::Answer)| View {
        name: name.to_owned(),
        bytes: answer.body.to_vec(),
    };
    [("listed", listed), ("inspected", one)].map(view).into()
}

/// A container that holds the secrets, and has some of them in labels and annotations.
fn app(secrets: &[Secret]) -> (ContainerSpec, Vec<Plant>) {
    let mut planting = Planting::of(secrets, "base64 -d", "io.kubernetes.cri-o.LogPath");
    let many = "(for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do echo \"$all\"; done; while :; do sleep 1000; done) | tail -c 1000000";
    planting.repeat(secrets, many);
    for (number, secret) in secrets.iter().enumerate().step_by(20) {
        planting.add(number, "annotation", "spec.dump", secret.beginning());
    }
    let Planting { script, plants } = planting.ticking();
    let mut app =
        ContainerSpec::new("app", ["/bin/sh", "-c", &script]).env("PATH", "/usr/bin:/bin");
    app.env.extend(forms::variables(secrets));
    for (number, secret) in secrets.iter().enumerate().step_by(20) {
        let key = format!("shop.example/{number}");
        app.annotations.insert(key.clone(), secret.value.clone());
        app.labels.insert(key, secret.value.clone());
    }
    (app, plants)
}

/// Waits for two more lines of a script that ticks; returns the last.
async fn ticks(log: &Path) -> String {
    let lines = || {
        let text = std::fs::read(log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().filter(|line| line.contains(" tick "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = lines().len();
    in_time(async {
        while lines().len() < before + 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    lines().pop().unwrap()
}

/// What the runtime itself writes to a file.
async fn direct(world: &World) -> std::path::PathBuf {
    let limits = Limits {
        running: 1,
        waiting: 1,
        waiting_per_container: 1,
    };
    let runtime = Runtime::new(world.node.socket(), limits, Arc::new(Vec::new));
    let target = "shop/vault/app".parse().unwrap();
    let container = runtime.resolve(&target).await.unwrap();
    let permit = runtime.permit(&container).await.unwrap();
    let direct = world.directory.path().join("direct.tar");
    runtime.checkpoint(&permit, &direct).await.unwrap();
    direct
}

#[tokio::test]
async fn hides_200_secrets_in_an_archive_of_crio() {
    let world = redacting(Dialect::CriO, environment(), |_| {}).await;
    let secrets = forms::secrets(COUNT);
    let (app, plants) = app(&secrets);
    let pod = world.node.run_pod(Pod::new("shop", "vault", [app])).await;
    let pod = pod.unwrap();
    let log = &pod.containers[0].log_path;
    assert!(ticks(log).await.ends_with("all alive"));
    check_plain(&direct(&world).await, &secrets, &plants);

    let client = world.client("alice");
    let answer = client.post("/checkpoint/shop/vault/app").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let archive = Path::new(answer.json()["items"][0].as_str().unwrap()).to_owned();
    let told = metadata(&archive);
    assert_eq!(told["transport"], json!("spool"), "{told}");
    let mut more = answers(&client).await;
    for (name, text) in [
        ("metadata", told.to_string()),
        ("answer", format!("{answer:?}")),
        ("log", world.gateway.log().join("\n")),
        ("audit", std::fs::read_to_string(world.audit_log()).unwrap()),
    ] {
        let (name, bytes) = (name.to_owned(), text.into_bytes());
        more.push(View { name, bytes });
    }
    check_redacted(&archive, &more, &secrets, &plants);
    assert!(ticks(log).await.ends_with("all alive"));
}
