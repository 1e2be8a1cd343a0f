//! What one can do with an audit log without a gateway: see whether somebody has changed it.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::World;
use crate::support::gateway::BINARY;
use crate::support::world::PATH;

fn run(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(["audit", "verify"]).args(arguments).env_clear().output().unwrap()
}

fn told(arguments: &[&str], exit: i32) -> Value {
    let output = run(&[arguments, &["--output", "json"]].concat());
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a command says to people, and how it ends.
fn said(arguments: &[&str]) -> (String, Option<i32>) {
    let output = run(arguments);
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

/// A world whose log has an allowed checkpoint and a denied one, and the log's path.
async fn written() -> (World, PathBuf) {
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
    assert_eq!((&found["first"], &found["last"]), (&records[0]["at"], &records.last().unwrap()["at"]));
    let head = found["head"].as_str().unwrap();
    assert_eq!(told(&[log, "--head", &head.to_uppercase()], 0)["covered"], records.len());
    let (text, exit) = said(&[log]);
    assert!(exit == Some(0) && text.contains(head) && text.contains("give --head"), "{text}");
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
    assert!(exit == Some(1) && text.contains("FAIL  line 1 (seq 0): it was changed"), "{text}");
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
    assert!(exit == Some(1) && text.contains(&format!("cut after line {}", kept.len())), "{text}");
}

#[test]
fn what_is_no_log_or_no_head_is_refused() {
    assert_eq!(said(&["/nonexistent"]).1, Some(1));
    assert_eq!(said(&["/dev/null", "--head", "abc"]).1, Some(2));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("text");
    std::fs::write(&path, "some\ntext\n").unwrap();
    let (text, exit) = said(&[path.to_str().unwrap()]);
    assert!(exit == Some(1) && text.contains("line 1 (seq 0): it is no record of a chained log"), "{text}");
}
