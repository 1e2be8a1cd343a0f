//! The commands that verify an audit log and prove its records, without a gateway.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::World;
use crate::support::programs::{CKPT, daemon};
use crate::support::world::{PATH, make_key, set};

fn verify(arguments: &[&str]) -> Output {
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

/// The JSON that `audit verify` prints.
fn verified(arguments: &[&str], exit: i32) -> Value {
    let output = verify(&[arguments, &["--output", "json"]].concat());
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The text that `audit verify` prints, and its exit code.
fn verify_text(arguments: &[&str]) -> (String, Option<i32>) {
    let output = verify(arguments);
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

/// A world whose log has an allowed checkpoint and a denied one, and the log's path.
pub async fn written() -> (World, PathBuf) {
    let world = World::new().await;
    assert_eq!(world.client("alice").post(PATH).await.status, 200);
    assert_eq!(world.client("mallory").post(PATH).await.status, 403);
    let log = world.audit_log();
    (world, log)
}

#[tokio::test]
async fn verifies_a_log_of_the_gateway_and_prints_its_head() {
    let (world, log) = written().await;
    let log = log.to_str().unwrap();
    let found = verified(&[log], 0);
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
        verified(&[log, "--head", &head.to_uppercase()], 0)["covered"],
        records.len()
    );
    let (text, exit) = verify_text(&[log]);
    assert!(
        exit == Some(0) && text.contains(head) && text.contains("give --head"),
        "{text}"
    );
    world.client("alice").post(PATH).await;
    assert_eq!(
        verified(&[log, "--head", head], 0)["covered"],
        records.len(),
        "a head covers what came before it"
    );
}

#[tokio::test]
async fn names_the_line_of_a_changed_byte() {
    let (_world, path) = written().await;
    let log = path.to_str().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("alice", "mallo", 1)).unwrap();
    assert_eq!(verified(&[log], 1)["line"], 1);
    let (text, exit) = verify_text(&[log]);
    assert!(
        exit == Some(1) && text.contains("FAIL  `audit.log`, line 1 (seq 0): it was changed"),
        "{text}"
    );
}

#[tokio::test]
async fn kept_head_reveals_a_removed_last_line() {
    let (_world, path) = written().await;
    let log = path.to_str().unwrap();
    let head = verified(&[log], 0)["head"].as_str().unwrap().to_owned();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let (_, kept) = lines.split_last().unwrap();
    std::fs::write(&path, kept.join("\n") + "\n").unwrap();
    assert_eq!(verified(&[log], 0)["records"], kept.len());
    let (text, exit) = verify_text(&[log, "--head", &head]);
    assert!(
        exit == Some(1) && text.contains(&format!("cut after seq {}", kept.len() - 1)),
        "{text}"
    );
}

#[test]
fn refuses_files_that_are_not_logs_and_heads() {
    assert_eq!(verify_text(&["/nonexistent"]).1, Some(1));
    assert_eq!(verify_text(&["/dev/null", "--head", "abc"]).1, Some(2));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("text");
    std::fs::write(&path, "some\ntext\n").unwrap();
    let (text, exit) = verify_text(&[path.to_str().unwrap()]);
    assert!(
        exit == Some(1) && text.contains("line 1 (seq 0): it is not a record of a chained log"),
        "{text}"
    );
}

async fn stop(world: &mut World) {
    world.gateway.signal(rustix::process::Signal::TERM);
    assert!(world.gateway.wait().await.success());
}

/// A world with a signed log that holds an allowed checkpoint, and the public key of another key.
async fn signed() -> (World, String) {
    let world = World::signed(|_| {}).await;
    assert_eq!(world.client("alice").post(PATH).await.status, 200);
    let other = make_key(&world.directory.path().join("other.key"));
    (world, text_of(&other))
}

fn text_of(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn verifies_a_signed_log_by_key_and_kept_head() {
    let (mut world, other) = signed().await;
    let (path, public) = (world.audit_log(), text_of(&world.public_key()));
    let log = path.to_str().unwrap();
    let (text, exit) = verify_text(&[log]);
    assert!(exit == Some(0) && text.contains("signed   no"), "{text}");
    stop(&mut world).await;
    let found = verified(&[log, "--key", &public], 0);
    let records = found["records"].as_u64().unwrap();
    assert_eq!(
        (&found["trust"], &found["signed"]["size"]),
        (&json!("given"), &json!(records - 1))
    );
    let (text, exit) = verify_text(&[log]);
    assert!(
        exit == Some(0) && text.contains("by a key that only the log itself names: give --key"),
        "{text}"
    );
    let (text, exit) = verify_text(&[log, "--key", &other]);
    assert!(
        exit == Some(1) && text.contains("neither given nor vouched for"),
        "{text}"
    );

    let head = world.directory.path().join("head.json");
    let head = head.to_str().unwrap();
    std::fs::write(head, printed(&["head", log, "--key", &public])).unwrap();
    assert_eq!(
        verified(&[log, "--key", &public, "--head", head], 0)["covered"],
        records - 1
    );
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    std::fs::write(&path, lines[..2].join("\n") + "\n").unwrap();
    let (text, exit) = verify_text(&[log, "--head", head]);
    assert!(
        exit == Some(1) && text.contains("the log was cut after seq 1"),
        "{text}"
    );
}

#[tokio::test]
async fn proves_a_record_without_the_log() {
    let (mut world, other) = signed().await;
    let (path, public) = (world.audit_log(), text_of(&world.public_key()));
    let log = path.to_str().unwrap();
    let id = world.audit()[1]["request_id"].as_str().unwrap().to_owned();
    let early = audit(&["prove", &id, log]);
    assert!(
        !early.status.success()
            && String::from_utf8_lossy(&early.stderr).contains("no signed head covers it yet")
    );
    stop(&mut world).await;

    let proof = world.directory.path().join("proof.json");
    let proof = proof.to_str().unwrap();
    let text = printed(&["prove", &id, log, "--key", &public]);
    assert_eq!(text.lines().count(), 2, "intent and outcome");
    std::fs::write(proof, &text).unwrap();
    let checked = printed(&["check-proof", proof, "--key", &public, "--output", "json"]);
    let events: Vec<_> = checked
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|proof| (proof["ok"].clone(), proof["record"]["event"].clone()))
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
fn keygen_never_overwrites_a_key() {
    let keys = tempfile::tempdir().unwrap();
    let private = text_of(&keys.path().join("audit.key"));
    assert!(printed(&["keygen", &private]).starts_with("-----BEGIN PUBLIC KEY-----"));
    let before = std::fs::read(&private).unwrap();
    assert_eq!(audit(&["keygen", &private]).status.code(), Some(1));
    assert_eq!(std::fs::read(&private).unwrap(), before);
}

#[tokio::test]
async fn check_refuses_a_key_that_others_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let keys = tempfile::tempdir().unwrap();
    let private = keys.path().join("audit.key");
    make_key(&private);
    std::fs::set_permissions(&private, PermissionsExt::from_mode(0o640)).unwrap();
    let world = World::new().await;
    let mut config = world.config.clone();
    set(&mut config, "audit.key-file", text_of(&private));
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
