//! `ckpt archive`: inspect, redact, verify, unseal and export without a gateway.

mod audit;
mod detectors;
mod diff;
mod export;
mod redact;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::storage::metadata;
use crate::support::World;
use crate::support::programs::CKPT;
use crate::support::world::{PATH, SECRET};

fn run(arguments: &[&str]) -> Output {
    Command::new(CKPT)
        .arg("archive")
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The JSON output of a command that must succeed.
pub fn told(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["--output", "json"]].concat());
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The message of a command that must fail.
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stdout) + &text(&output.stderr)
}

/// A world with an archive that the gateway has taken, and the archive's path.
async fn taken() -> (World, String) {
    let world = World::new().await;
    let answer = world.client("alice").post(PATH).await;
    let archive = answer.json()["items"][0].as_str().unwrap().to_owned();
    (world, archive)
}

fn plan(world: &World, plan: &Value) -> String {
    let path = world.directory.path().join("plan.json");
    std::fs::write(&path, plan.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn hide_keys() -> Value {
    let places = ["spec", "memory", "logs", "files"];
    json!({ "mask": [{ "name": "keys", "pattern": { "env-value": "*_KEY" }, "places": places }], "drop": [], "hide": [] })
}

fn place(world: &World, name: &str) -> String {
    world
        .directory
        .path()
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

/// The archive, and the specification in it in clear.
fn laid_open(archive: &str) -> Vec<u8> {
    let mut all = std::fs::read(archive).unwrap();
    let mut members = tar::Archive::new(std::fs::File::open(archive).unwrap());
    for entry in members.entries().unwrap() {
        let entry = entry.unwrap();
        if entry.path().unwrap().to_str() == Some("spec.dump") {
            let spec: Value = serde_json::from_reader(entry).unwrap();
            match spec["value"].as_str() {
                Some(value) => all.extend(STANDARD.decode(value).unwrap()),
                None => all.extend(spec.to_string().into_bytes()),
            }
        }
    }
    all
}

fn copies(archive: &str) -> usize {
    laid_open(archive)
        .windows(SECRET.len())
        .filter(|window| *window == SECRET.as_bytes())
        .count()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Turns one bit in the middle of what `needle` begins.
fn flip(archive: &str, needle: &[u8]) {
    let mut bytes = std::fs::read(archive).unwrap();
    let at = bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap();
    bytes[at] ^= 1;
    std::fs::write(archive, bytes).unwrap();
}

#[test]
fn help_teaches_every_command() {
    let help = text(&run(&["--help"]).stdout);
    for command in ["inspect", "redact", "verify", "export", "diff", "audit"] {
        assert!(help.contains(&format!("ckpt archive {command}")), "{help}");
        let output = run(&[command, "--help"]);
        assert!(
            output.status.success() && text(&output.stdout).contains("Exit status"),
            "{command}"
        );
        assert_eq!(run(&[command]).status.code(), Some(2));
        let before: &[&str] = match command {
            "redact" => &["redact", "/nonexistent", "out", "--plan"],
            "export" => &["export", "--oci", "out"],
            "diff" => &["diff", "/nonexistent"],
            _ => &[command],
        };
        let said = refused(&[before, &["/nonexistent"]].concat());
        assert!(said.contains("cannot open `/nonexistent`"), "{said}");
    }
}

#[tokio::test]
async fn inspect_shows_processes_and_variable_names_without_values() {
    let (world, archive) = taken().await;
    assert!(copies(&archive) > 1, "there are values to show");
    let found = told(&["inspect", &archive]);
    assert!(!found.to_string().contains(SECRET));
    assert_eq!(found["metadata"], metadata(Path::new(&archive)));
    let inspection = &found["inspection"];
    let expected = json!({
        "dialect": "containerd", "unreadable": [], "truncated": false,
        "container": { "name": "app", "pod": "cart-0", "id": world.pod.containers[0].id },
    });
    for (name, value) in expected.as_object().unwrap() {
        match value.as_object() {
            None => assert_eq!(&inspection[name], value, "{name}"),
            Some(parts) => parts
                .iter()
                .for_each(|(part, value)| assert_eq!(&inspection[name][part], value, "{part}")),
        }
    }
    let first = &inspection["processes"][0];
    assert_eq!(
        (&first["parent"], &first["command"]),
        (&json!(0), &json!("sh"))
    );
    assert_eq!(
        first["arguments"],
        json!(["/bin/sh", "-c", "while :; do sleep 1; done"])
    );
    for env in [&inspection["env"], &first["env"]] {
        let names = env.as_array().unwrap();
        assert!(
            names.contains(&json!("API_KEY")) && names.contains(&json!("PATH")),
            "{names:?}"
        );
    }
}

#[tokio::test]
async fn inspect_prints_text_without_values() {
    let (_world, archive) = taken().await;
    let output = run(&["inspect", &archive]);
    let said = text(&output.stdout);
    for word in [
        "shop/cart-0",
        "alice",
        "API_KEY",
        "'while :; do sleep 1; done'",
        "checkpoint/pages-1.img",
        "/etc/hosts",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(output.status.success() && !said.contains(SECRET), "{said}");
}

#[tokio::test]
async fn inspect_reports_unreadable_metadata() {
    let (_world, archive) = taken().await;
    std::fs::write(format!("{archive}.json"), "{}").unwrap();
    let found = told(&["inspect", &archive]);
    let problem = found["metadata_problem"].as_str().unwrap();
    assert!(
        problem.contains("is not the metadata of a checkpoint"),
        "{found}"
    );
    assert_eq!(found["metadata"], json!(null));
}

#[tokio::test]
async fn verify_accepts_published_archives_and_names_differences() {
    let (_world, archive) = taken().await;
    let found = told(&["verify", &archive]);
    assert_eq!(
        (&found["ok"], &found["sha256"]),
        (&json!(true), &metadata(Path::new(&archive))["sha256"])
    );
    let digest = found["sha256"].as_str().unwrap();
    told(&["verify", &archive, "--sha256", &digest.to_uppercase()]);
    assert!(
        refused(&["verify", &archive, "--sha256", &"0".repeat(64)])
            .contains("FAIL  digest: --sha256 says 0000")
    );

    flip(&archive, SECRET.as_bytes());
    let said = refused(&["verify", &archive]);
    assert!(
        said.contains("FAIL  digest: the metadata says") && said.contains("ok    structure"),
        "{said}"
    );
    flip(&archive, b"checkpoint/pages-1.img");
    let said = refused(&["verify", &archive]);
    assert!(
        said.contains("FAIL  structure") && said.contains("checksum is wrong"),
        "{said}"
    );
    assert_eq!(
        run(&["verify", &archive, "--output", "json"]).status.code(),
        Some(1)
    );

    std::fs::remove_file(format!("{archive}.json")).unwrap();
    let said = refused(&["verify", &archive]);
    assert!(
        said.contains("nothing to compare with") && said.contains("--sha256"),
        "{said}"
    );
}
