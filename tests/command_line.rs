//! The command line: what it says, and how it ends.

use std::process::{Command, Output};

use crate::support::programs::{CKPT, daemon};
use crate::support::world::write;
use crate::support::{Credentials, Gateway};

fn run(arguments: &[&str]) -> Output {
    Command::new(daemon())
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn ckpt(arguments: &[&str]) -> Output {
    Command::new(CKPT)
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn configuration(directory: &std::path::Path) -> toml::Table {
    Credentials::new().configure(
        directory,
        "/nonexistent.sock".as_ref(),
        &directory.join("checkpoints"),
    )
}

#[test]
fn the_tool_explains_itself() {
    let help = ckpt(&["--help"]);
    assert!(help.status.success());
    for word in ["demo", "policy", "archive", "audit", "Exit status"] {
        assert!(text(&help.stdout).contains(word), "{word}");
    }
    let version = concat!("ckpt ", env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&ckpt(&["--version"]).stdout).trim(), version);
    assert_eq!(ckpt(&[]).status.code(), Some(2));
    let misspelt = ckpt(&["polcy"]);
    assert_eq!(misspelt.status.code(), Some(2));
    assert!(text(&misspelt.stderr).contains("'policy'"), "did you mean");
}

#[test]
fn the_tool_names_the_daemon_for_its_commands() {
    for command in ["serve", "check", "openapi"] {
        let answer = ckpt(&[command, "--config", "gateway.toml"]);
        let line =
            format!("`{command}` is a command of the daemon: run `checkpoint-gateway {command}`\n");
        assert_eq!(
            (answer.status.code(), text(&answer.stderr)),
            (Some(2), line)
        );
        assert!(answer.stdout.is_empty());
    }
}

#[test]
fn check_is_content_with_a_good_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), &configuration(directory.path()));
    let path = path.to_str().unwrap();
    let output = run(&["check", "--config", path]);
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(0), format!("{path}: fine\n"))
    );
    let output = run(&["check", "--config", path, "--output", "json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["ok"], true);
}

#[test]
fn check_shows_the_line_and_column_of_a_mistake() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, "[listen]\nadress = \"127.0.0.1:1\"\n").unwrap();
    let output = run(&["check", "--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stderr);
    assert!(
        said.contains("config.toml:2:1: unknown key `adress`: did you mean `address`?"),
        "{said}"
    );
    let output = run(&[
        "check",
        "--config",
        path.to_str().unwrap(),
        "--output",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(3));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        told["mistake"]
            .as_str()
            .unwrap()
            .contains("config.toml:2:1"),
        "{told}"
    );
}

#[test]
fn check_reads_the_files_that_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let config = configuration(directory.path());
    let path = write(directory.path(), &config);
    for (file, what) in [
        ("server.crt", "a certificate"),
        ("server.key", "a private key"),
        ("client-ca.crt", "a CA certificate"),
        ("jwks.json", "key set"),
    ] {
        let kept = std::fs::read(directory.path().join(file)).unwrap();
        std::fs::remove_file(directory.path().join(file)).unwrap();
        let output = run(&["check", "--config", path.to_str().unwrap()]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{file}: {said}");
        let line = std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .position(|line| line.contains(file))
            .unwrap()
            + 1;
        assert!(
            said.contains(&format!("config.toml:{line}:")) && said.contains(what),
            "{file}: {said}"
        );
        std::fs::write(directory.path().join(file), "garbage").unwrap();
        assert_eq!(
            run(&["check", "--config", path.to_str().unwrap()])
                .status
                .code(),
            Some(3),
            "{file}"
        );
        std::fs::write(directory.path().join(file), kept).unwrap();
    }
    assert_eq!(
        run(&["check", "--config", path.to_str().unwrap()])
            .status
            .code(),
        Some(0)
    );
}

#[tokio::test]
async fn a_gateway_starts_before_its_runtime_does() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&write(directory.path(), &configuration(directory.path()))).await;
    let ready = crate::support::client::admin(gateway.admin, "/readyz").await;
    assert_eq!(ready.status.as_u16(), 503);
}

#[tokio::test]
async fn a_start_that_cannot_be_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = configuration(directory.path());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    crate::support::world::set(&mut config, "listen.address", address.as_str());
    let Err(said) = Gateway::try_start(&write(directory.path(), &config)).await else {
        panic!("it started")
    };
    assert!(
        said.join("\n")
            .contains(&format!("cannot listen on {address}: ")),
        "{said:?}"
    );
}
