//! `ckpt archive`: inspect, redact, verify, unseal and export without a gateway.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::storage::{metadata, mode, sha256sum};
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
    for command in ["inspect", "redact", "verify", "export"] {
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
            _ => &[command],
        };
        let said = refused(&[before, &["/nonexistent"]].concat());
        assert!(said.contains("cannot read `/nonexistent`"), "{said}");
    }
}

#[tokio::test]
async fn inspect_shows_processes_and_variable_names_without_values() {
    let (world, archive) = taken().await;
    assert!(copies(&archive) > 1, "it is there to be seen");
    let found = told(&["inspect", &archive]);
    let inspection = &found["inspection"];
    assert_eq!(inspection["dialect"], "containerd");
    assert_eq!(
        (
            &inspection["container"]["name"],
            &inspection["container"]["pod"]
        ),
        (&json!("app"), &json!("cart-0"))
    );
    assert_eq!(inspection["container"]["id"], world.pod.containers[0].id);
    assert_eq!(
        (&inspection["unreadable"], &inspection["truncated"]),
        (&json!([]), &json!(false))
    );
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
        let names: Vec<_> = env
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert!(
            names.contains(&"API_KEY") && names.contains(&"PATH"),
            "{names:?}"
        );
    }
    assert_eq!(found["metadata"], metadata(Path::new(&archive)));
    assert!(!found.to_string().contains(SECRET));
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
    std::fs::write(format!("{archive}.json"), "{}").unwrap();
    let found = told(&["inspect", &archive]);
    assert!(
        found["metadata_problem"]
            .as_str()
            .unwrap()
            .contains("is not the metadata of a checkpoint"),
        "{found}"
    );
    assert_eq!(found["metadata"], json!(null));
}

#[tokio::test]
async fn redact_hides_the_secret_and_what_is_left_is_whole() {
    let (world, archive) = taken().await;
    let before = std::fs::read(&archive).unwrap();
    for (name, written) in [
        ("plan", hide_keys()),
        ("answer", json!({ "answer": { "plan": hide_keys() } })),
    ] {
        let out = place(&world, &format!("{name}.tar"));
        let found = told(&["redact", "--plan", &plan(&world, &written), &archive, &out]);
        assert_eq!(copies(&out), 0);
        assert_eq!(mode(Path::new(&out)), 0o600);
        assert_eq!(found["sha256"], sha256sum(Path::new(&out)));
        assert_eq!(found["redaction"]["values_hidden"], 1);
        assert!(
            found["redaction"]["rules"][0]["places"]["memory"]["masks"]
                .as_u64()
                .unwrap()
                > 0,
            "{found}"
        );
        assert!(!found.to_string().contains(SECRET));
        assert_eq!(told(&["verify", &out])["ok"], true);
        let beside = told(&["inspect", &out])["metadata"].take();
        assert_eq!(
            (&beside["sha256"], &beside["created_by"]),
            (&found["sha256"], &json!("alice"))
        );
        assert_eq!(beside["redaction"], found["redaction"]);
        let (one, other) = (told(&["inspect", &archive]), told(&["inspect", &out]));
        assert_eq!(
            one["inspection"]["processes"],
            other["inspection"]["processes"]
        );
    }
    assert!(
        before == std::fs::read(&archive).unwrap(),
        "what is redacted stays as it was"
    );
}

#[tokio::test]
async fn verifies_what_redact_wrote_without_metadata() {
    let (world, archive) = taken().await;
    std::fs::remove_file(format!("{archive}.json")).unwrap();
    let out = place(&world, "redacted.tar");
    told(&[
        "redact",
        "--plan",
        &plan(&world, &hide_keys()),
        &archive,
        &out,
    ]);
    assert!(!Path::new(&format!("{out}.json")).exists());
    let digest = std::fs::read_to_string(format!("{out}.sha256")).unwrap();
    assert_eq!(
        digest,
        format!("{}  redacted.tar\n", sha256sum(Path::new(&out)))
    );
    assert_eq!(told(&["verify", &out])["ok"], true);
    std::fs::write(format!("{out}.sha256"), digest.replace('0', "1")).unwrap();
    assert!(refused(&["verify", &out]).contains("FAIL  digest: the .sha256 file says"));
    std::fs::write(format!("{out}.sha256"), "nonsense").unwrap();
    assert!(refused(&["verify", &out]).contains("does not begin with a SHA-256 digest"));
}

#[tokio::test]
async fn inspect_lists_only_rules_that_hit() {
    let (world, archive) = taken().await;
    let mut rules = hide_keys();
    let unused =
        json!({ "name": "unused", "pattern": { "env-value": "*_NOTHING" }, "places": ["memory"] });
    rules["mask"].as_array_mut().unwrap().push(unused);
    rules["drop"] = json!([{ "name": "log", "entry": "container.log" }, { "name": "absent", "entry": "nothing" }]);
    let out = place(&world, "redacted.tar");
    told(&["redact", "--plan", &plan(&world, &rules), &archive, &out]);
    let printed = text(&run(&["inspect", &out]).stdout);
    let column = |line: &str, word: &str| line.find(word).map(|at| at + word.len());
    let mut lines = printed.lines().skip_while(|line| !line.contains("RULE"));
    let (headings, keys) = (lines.next().unwrap(), lines.next().unwrap());
    assert!(
        keys.trim_start().starts_with("keys ") && keys.contains("memory "),
        "{printed}"
    );
    let masked = keys.split_whitespace().nth(1).unwrap();
    assert_eq!(
        column(headings, "MASKED"),
        column(keys, masked),
        "{printed}"
    );
    assert!(printed.contains("container.log"), "{printed}");
    assert!(printed.contains("2 other rules found nothing"), "{printed}");
    assert!(
        !printed.contains("unused") && !printed.contains("absent"),
        "{printed}"
    );
}

#[tokio::test]
async fn redact_leaves_nothing_behind_where_it_fails() {
    let (world, archive) = taken().await;
    let folder = place(&world, "out");
    std::fs::create_dir(&folder).unwrap();
    let out = format!("{folder}/redacted.tar");
    let good = plan(&world, &hide_keys());
    for written in [
        json!({ "masks": [] }),
        json!({ "answer": { "fault": "timeout" } }),
        json!({ "mask": [{ "name": "r", "pattern": { "regex": "(" }, "places": ["memory"] }] }),
    ] {
        refused(&["redact", "--plan", &plan(&world, &written), &archive, &out]);
    }
    std::fs::write(&good, hide_keys().to_string()).unwrap();
    let broken = place(&world, "broken.tar");
    let bytes = std::fs::read(&archive).unwrap();
    std::fs::write(&broken, &bytes[..bytes.len() - 2048]).unwrap();
    refused(&["redact", "--plan", &good, &broken, &out]);
    assert!(files(Path::new(&folder)).is_empty());
    std::fs::write(&out, "kept").unwrap();
    assert!(refused(&["redact", "--plan", &good, &archive, &out]).contains("exists already"));
    assert_eq!(std::fs::read(&out).unwrap(), b"kept");
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
        said.contains("FAIL  structure") && said.contains("checksum does not hold"),
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

#[tokio::test]
async fn export_makes_an_image_that_runtimes_recognise() {
    let (world, archive) = taken().await;
    let layout = place(&world, "image");
    let made = told(&[
        "export",
        "--oci",
        &layout,
        "--tag",
        "registry.example/shop/cart:1",
        &archive,
    ]);
    let layout = Path::new(&layout);
    assert_eq!(mode(layout), 0o700);
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"]
            .as_str()
            .unwrap()
            .strip_prefix("sha256:")
            .unwrap()
            .to_owned();
        let path = layout.join("blobs/sha256").join(&digest);
        assert_eq!(sha256sum(&path), digest);
        assert_eq!(descriptor["size"], std::fs::metadata(&path).unwrap().len());
        path
    };
    let read =
        |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    assert_eq!(
        read(&layout.join("oci-layout")),
        json!({ "imageLayoutVersion": "1.0.0" })
    );
    let index = read(&layout.join("index.json"));
    assert_eq!(
        index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"],
        "registry.example/shop/cart:1"
    );
    assert_eq!(index["manifests"][0]["digest"], made["manifest"]);
    let manifest = read(&blob(&index["manifests"][0]));
    for key in [
        "org.criu.checkpoint.container.name",
        "io.kubernetes.cri-o.annotations.checkpoint.name",
    ] {
        assert_eq!(
            (&manifest["annotations"][key], &index["annotations"][key]),
            (&json!("app"), &json!("app"))
        );
    }
    assert_eq!(
        manifest["annotations"]["org.criu.checkpoint.pod.namespace"],
        "shop"
    );
    let config = read(&blob(&manifest["config"]));
    let layer = &manifest["layers"][0];
    assert_eq!(config["created"], config["history"][0]["created"]);
    assert!(
        config["created"].as_str().unwrap().ends_with('Z'),
        "{config}"
    );
    assert_eq!(config["rootfs"]["diff_ids"], json!([layer["digest"]]));
    assert_eq!(
        config["architecture"],
        if cfg!(target_arch = "x86_64") {
            "amd64"
        } else {
            "arm64"
        }
    );
    assert_eq!(
        sha256sum(&blob(layer)),
        sha256sum(Path::new(&archive)),
        "the layer is the archive"
    );
    assert_eq!(files(&layout.join("blobs/sha256")).len(), 3);
    assert!(
        refused(&["export", "--oci", layout.to_str().unwrap(), &archive])
            .contains("exists already")
    );
    assert_eq!(
        run(&["export", "--oci", "x", "--tag", "a b", &archive])
            .status
            .code(),
        Some(2)
    );
}

#[tokio::test]
async fn export_of_what_is_no_archive_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("file"), "no archive").unwrap();
    refused(&["export", "--oci", &path("image"), &path("file")]);
    assert_eq!(files(directory.path()), [PathBuf::from(path("file"))]);
}
