//! Quotas, age limits and originals.

use std::path::{Path, PathBuf};
use std::process::Command;

use age::secrecy::ExposeSecret;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::policies::{allowlist, component, governed};
use crate::redaction::showing;
use crate::storage::metadata;
use crate::support::programs::{CKPT, daemon};
use crate::support::world::{PATH, SECRET, pod, set};
use crate::support::{Answer, World};

fn quota(config: &mut toml::Table, quota: &Value) {
    config.insert("quota".to_owned(), toml::Value::try_from(quota).unwrap());
}

async fn take(world: &World) -> Answer {
    world.client("alice").post(PATH).await
}

fn archive(answer: &Answer) -> PathBuf {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["items"][0].as_str().unwrap().into()
}

#[tokio::test]
async fn refuses_to_exceed_a_quota_before_the_runtime_is_called() {
    let world = World::with(|config| quota(config, &json!({ "container": { "count": 1 } }))).await;
    archive(&take(&world).await);
    let refused = take(&world).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (429, "quota-exceeded")
    );
    assert_eq!(world.node.checkpoint_calls(), 1);
    world.node.run_pod(pod("cart-1")).await.unwrap();
    assert_eq!(
        world
            .client("alice")
            .post("/checkpoint/shop/cart-1/app")
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn bytes_that_would_break_a_quota_are_told_as_a_full_store() {
    let world = World::with(|config| quota(config, &json!({ "namespace": { "bytes": 1 } }))).await;
    let refused = take(&world).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (507, "quota-exceeded")
    );
    assert_eq!(world.node.checkpoint_calls(), 0);
}

#[tokio::test]
async fn deletes_the_oldest_if_configured_and_never_a_held_one() {
    let wanted = json!({ "total": { "count": 2 }, "when-full": "delete-oldest" });
    let world = World::with(|config| quota(config, &wanted)).await;
    let (held, oldest) = (
        metadata(&archive(&take(&world).await)),
        metadata(&archive(&take(&world).await)),
    );
    let path = format!("/v1/checkpoints/{}/hold", held["id"].as_str().unwrap());
    assert_eq!(
        world.client("alice").send(Method::PUT, &path).await.status,
        StatusCode::OK
    );
    archive(&take(&world).await);
    assert!(Path::new(held["path"].as_str().unwrap()).exists());
    assert!(!Path::new(oldest["path"].as_str().unwrap()).exists());
    let records = world.audit();
    let removed = records
        .iter()
        .find(|record| record["event"] == "removed")
        .unwrap();
    assert_eq!(
        (&removed["checkpoint_id"], &removed["because"]),
        (&oldest["id"], &"quota".into())
    );
    let at = |event: &str| {
        records
            .iter()
            .rposition(|record| record["event"] == event)
            .unwrap()
    };
    assert!(
        at("intent") < at("removed"),
        "nothing goes before it is written down why"
    );
    let removed = world
        .gateway
        .counted("checkpoint_gateway_checkpoints_removed_total", 1.0)
        .await;
    assert_eq!(removed.to_string(), "1");
}

/// Keeps originals for the holder of an identity.
struct Sealing {
    identity: age::x25519::Identity,
    world: World,
}

impl Sealing {
    async fn start() -> Self {
        let identity = age::x25519::Identity::generate();
        let originals =
            json!({ "keep": "sealed", "recipients": [identity.to_public().to_string()] });
        let world = World::with(|config| {
            set(config, "policy-engine.cache-directory", "");
            let redactor =
                json!({ "name": "environment", "file": component("redact-environment") });
            governed(config, &json!([allowlist(&["shop"]), redactor]));
            config.insert(
                "originals".to_owned(),
                toml::Value::try_from(originals).unwrap(),
            );
        })
        .await;
        Self { identity, world }
    }

    /// `archive unseal` with this identity: its exit code, and what it said.
    fn unseal(
        &self,
        identity: &age::x25519::Identity,
        sealed: &Path,
        out: &Path,
    ) -> (Option<i32>, String) {
        let key = self.world.directory.path().join("key");
        std::fs::write(&key, identity.to_string().expose_secret()).unwrap();
        let mut command = Command::new(CKPT);
        let ran = command
            .args(["archive", "unseal", "--identity"])
            .arg(key)
            .arg(sealed)
            .arg(out)
            .output()
            .unwrap();
        (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
    }
}

#[tokio::test]
async fn an_original_is_kept_sealed_beside_the_redacted_archive() {
    let sealing = Sealing::start().await;
    let (world, identity) = (&sealing.world, &sealing.identity);
    let archive = archive(&take(world).await);
    assert_eq!(showing(&archive, SECRET), Vec::<String>::new());
    let told = metadata(&archive);
    let original = &told["original"];
    let sealed = Path::new(original["path"].as_str().unwrap());
    assert_eq!(
        (&original["sealed"], &original["recipients"]),
        (&true.into(), &1.into())
    );
    assert_eq!(
        (
            crate::storage::mode(sealed),
            crate::storage::sha256sum(sealed)
        ),
        (0o600, original["sha256"].as_str().unwrap().to_owned())
    );
    let out = world.directory.path().join("original.tar");
    let (code, said) = sealing.unseal(&age::x25519::Identity::generate(), sealed, &out);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("sealed for other recipients") && !out.exists(),
        "{said}"
    );
    assert_eq!(sealing.unseal(identity, sealed, &out).0, Some(0));
    assert!(showing(&out, SECRET).contains(&"spec.dump".to_owned()));
    let verified = Command::new(CKPT)
        .args(["archive", "verify"])
        .arg(&archive)
        .output()
        .unwrap();
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );
    // A caller with the right to the original gets it as it is stored.
    let id = told["id"].as_str().unwrap();
    let fetched = world
        .client("alice")
        .get(&format!("/v1/checkpoints/{id}/archive?view=original"))
        .await;
    assert!(fetched.body == std::fs::read(sealed).unwrap());
    assert_eq!(fetched.header("content-type"), "application/octet-stream");
    std::fs::write(sealed, b"age-encryption.org/v1\n").unwrap();
    let verified = Command::new(CKPT)
        .args(["archive", "verify"])
        .arg(&archive)
        .output()
        .unwrap();
    assert_eq!(verified.status.code(), Some(1));
}

#[tokio::test]
async fn a_recipient_that_is_none_is_a_mistake_of_the_configuration() {
    let world = World::new().await;
    let mut config = world.config.clone();
    let originals = json!({ "keep": "sealed", "recipients": ["age1nobody"] });
    config.insert(
        "originals".to_owned(),
        toml::Value::try_from(originals).unwrap(),
    );
    let other = tempfile::tempdir().unwrap();
    let file = crate::support::world::write(other.path(), &config);
    let checked = Command::new(daemon())
        .args(["check", "--config"])
        .arg(file)
        .output()
        .unwrap();
    assert_eq!(
        checked.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    assert!(String::from_utf8_lossy(&checked.stderr).contains("originals.recipients"));
}
