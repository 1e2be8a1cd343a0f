//! `ckpt audit` verifies logs and proofs without a gateway.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::World;
use crate::support::programs::{CKPT, daemon};
use crate::support::world::{PATH, set};

fn run(arguments: &[&str]) -> Output {
    audit(&[&["verify"], arguments].concat())
}

fn audit(arguments: &[&str]) -> Output {
    Command::new(CKPT)
        .arg("audit")
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

/// The output of a command that must succeed.
fn printed(arguments: &[&str]) -> String {
    let output = audit(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn told(arguments: &[&str], exit: i32) -> Value {
    let output = run(&[arguments, &["--output", "json"]].concat());
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A command's messages and its exit code.
fn said(arguments: &[&str]) -> (String, Option<i32>) {
    let output = run(arguments);
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

/// A world whose log has an allowed checkpoint and a denied one, and the log's path.
pub async fn written() -> (World, PathBuf) {
    let world = World::new().await;
    assert_eq!(world.client("alice").post(PATH).await.status, 200);
    assert_eq!(world.client("mallory").post(PATH).await.status, 403);
    let log = world.directory.path().join("audit.log");
    (world, log)
}

#[tokio::test]
async fn a_log_that_the_gateway_wrote_holds_and_tells_its_head() {
    let (world, log) = written().await;
    let log = log.to_str().unwrap();
    let found = told(&[log], 0);
    let records = world.audit();
    assert_eq!(
        (&found["ok"], &found["records"], &found["covered"]),
        (&json!(true), &json!(records.len()), &json!(null))
    );
    assert_eq!(
        (&found["first"], &found["last"]),
        (&records[0]["at"], &records.last().unwrap()["at"])
    );
    let head = found["head"].as_str().unwrap();
    assert_eq!(
        told(&[log, "--head", &head.to_uppercase()], 0)["covered"],
        records.len()
    );
    let (text, exit) = said(&[log]);
    assert!(
        exit == Some(0) && text.contains(head) && text.contains("give --head"),
        "{text}"
    );
    world.client("alice").post(PATH).await;
    assert_eq!(
        told(&[log, "--head", head], 0)["covered"],
        records.len(),
        "a head covers what came before it"
    );
}

#[tokio::test]
async fn a_changed_byte_is_found_and_its_line_is_named() {
    let (_world, path) = written().await;
    let log = path.to_str().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("alice", "mallo", 1)).unwrap();
    assert_eq!(told(&[log], 1)["line"], 1);
    let (text, exit) = said(&[log]);
    assert!(
        exit == Some(1) && text.contains("FAIL  `audit.log`, line 1 (seq 0): it was changed"),
        "{text}"
    );
}

#[tokio::test]
async fn a_last_line_that_was_cut_off_is_found_by_a_head() {
    let (_world, path) = written().await;
    let log = path.to_str().unwrap();
    let head = told(&[log], 0)["head"].as_str().unwrap().to_owned();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let (_, kept) = lines.split_last().unwrap();
    std::fs::write(&path, kept.join("\n") + "\n").unwrap();
    assert_eq!(told(&[log], 0)["records"], kept.len());
    let (text, exit) = said(&[log, "--head", &head]);
    assert!(
        exit == Some(1) && text.contains(&format!("cut after seq {}", kept.len() - 1)),
        "{text}"
    );
}

#[test]
fn what_is_no_log_or_no_head_is_refused() {
    assert_eq!(said(&["/nonexistent"]).1, Some(1));
    assert_eq!(said(&["/dev/null", "--head", "abc"]).1, Some(2));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("text");
    std::fs::write(&path, "some\ntext\n").unwrap();
    let (text, exit) = said(&[path.to_str().unwrap()]);
    assert!(
        exit == Some(1) && text.contains("line 1 (seq 0): it is not a record of a chained log"),
        "{text}"
    );
}

async fn stop(world: &mut World) {
    world.gateway.signal(rustix::process::Signal::TERM);
    assert!(world.gateway.wait().await.success());
}

/// A key that the command made: the private one's path and the public one's.
fn key(directory: &Path, name: &str) -> (String, String) {
    let path = |ending: &str| {
        directory
            .join(format!("{name}.{ending}"))
            .to_str()
            .unwrap()
            .to_owned()
    };
    let (private, public) = (path("key"), path("pem"));
    std::fs::write(&public, printed(&["keygen", &private])).unwrap();
    (private, public)
}

/// A world whose log is signed and has an allowed checkpoint.
struct Signed {
    world: World,
    keys: tempfile::TempDir,
    /// The public key's file.
    public: String,
    /// That of a key which signed nothing.
    other: String,
}

impl Signed {
    async fn new() -> Self {
        let keys = tempfile::tempdir().unwrap();
        let (private, public) = key(keys.path(), "audit");
        let (_, other) = key(keys.path(), "other");
        let world = World::with(|config| set(config, "audit.key-file", private.as_str())).await;
        assert_eq!(world.client("alice").post(PATH).await.status, 200);
        Self {
            world,
            keys,
            public,
            other,
        }
    }
}

#[tokio::test]
async fn verifies_a_signed_log_by_key_and_by_a_kept_head() {
    let Signed {
        mut world,
        keys,
        public,
        other,
    } = Signed::new().await;
    let path = world.directory.path().join("audit.log");
    let log = path.to_str().unwrap();
    let (text, exit) = said(&[log]);
    assert!(exit == Some(0) && text.contains("signed   no"), "{text}");
    stop(&mut world).await;
    let found = told(&[log, "--key", &public], 0);
    let records = found["records"].as_u64().unwrap();
    assert_eq!(
        (&found["trust"], &found["signed"]["size"]),
        (&json!("given"), &json!(records - 1))
    );
    let (text, exit) = said(&[log]);
    assert!(
        exit == Some(0) && text.contains("by a key that only the log itself names: give --key"),
        "{text}"
    );
    let (text, exit) = said(&[log, "--key", &other]);
    assert!(
        exit == Some(1) && text.contains("neither given nor vouched for"),
        "{text}"
    );

    let head = keys.path().join("head.json");
    let head = head.to_str().unwrap();
    std::fs::write(head, printed(&["head", log, "--key", &public])).unwrap();
    assert_eq!(
        told(&[log, "--key", &public, "--head", head], 0)["covered"],
        records - 1
    );
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    std::fs::write(&path, lines[..2].join("\n") + "\n").unwrap();
    let (text, exit) = said(&[log, "--head", head]);
    assert!(
        exit == Some(1) && text.contains("the log was cut after seq 1"),
        "{text}"
    );
}

#[tokio::test]
async fn a_record_is_proven_to_somebody_who_has_no_log() {
    let Signed {
        mut world,
        keys,
        public,
        other,
    } = Signed::new().await;
    let path = world.directory.path().join("audit.log");
    let log = path.to_str().unwrap();
    let id = world.audit()[1]["request_id"].as_str().unwrap().to_owned();
    let early = audit(&["prove", &id, log]);
    assert!(
        !early.status.success()
            && String::from_utf8_lossy(&early.stderr).contains("no signed head covers it yet")
    );
    stop(&mut world).await;

    let proof = keys.path().join("proof.json");
    let proof = proof.to_str().unwrap();
    let text = printed(&["prove", &id, log, "--key", &public]);
    assert_eq!(text.lines().count(), 2, "intent and outcome");
    std::fs::write(proof, &text).unwrap();
    let checked = printed(&["check-proof", proof, "--key", &public, "--output", "json"]);
    let events: Vec<_> = checked
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|told| (told["ok"].clone(), told["record"]["event"].clone()))
        .collect();
    assert_eq!(
        events,
        [
            (json!(true), json!("intent")),
            (json!(true), json!("outcome"))
        ]
    );
    assert_eq!(
        audit(&["check-proof", proof, "--key", &other])
            .status
            .code(),
        Some(1)
    );
    std::fs::write(proof, text.replace("alice", "mallo")).unwrap();
    let forged = audit(&["check-proof", proof, "--key", &public]);
    assert!(
        forged.status.code() == Some(1)
            && String::from_utf8_lossy(&forged.stdout).contains("does not lead")
    );
    std::fs::write(proof, "{}").unwrap();
    assert_eq!(
        audit(&["check-proof", proof, "--key", &public])
            .status
            .code(),
        Some(1)
    );
    assert_eq!(audit(&["prove", "nobody", log]).status.code(), Some(2));
    assert_eq!(audit(&["prove", "999", log]).status.code(), Some(1));
}

#[test]
fn a_key_is_never_written_over() {
    let keys = tempfile::tempdir().unwrap();
    let (private, public) = key(keys.path(), "audit");
    let before = std::fs::read(&private).unwrap();
    assert_eq!(audit(&["keygen", &private]).status.code(), Some(1));
    assert_eq!(std::fs::read(&private).unwrap(), before);
    assert!(
        std::fs::read_to_string(public)
            .unwrap()
            .starts_with("-----BEGIN PUBLIC KEY-----")
    );
}

#[tokio::test]
async fn a_gateway_does_not_start_with_a_key_that_others_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let keys = tempfile::tempdir().unwrap();
    let (private, _) = key(keys.path(), "audit");
    std::fs::set_permissions(&private, PermissionsExt::from_mode(0o640)).unwrap();
    let world = World::new().await;
    let mut config = world.config.clone();
    set(&mut config, "audit.key-file", private.as_str());
    let path = keys.path().join("config.toml");
    std::fs::write(&path, toml::to_string(&config).unwrap()).unwrap();
    let output = Command::new(daemon())
        .args(["check", "--config"])
        .arg(&path)
        .env_clear()
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(3) && text.contains("nobody but its owner may read"),
        "{text}"
    );
}
