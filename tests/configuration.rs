//! Paths in a configuration: which folder they count from, and which folders `serve` creates.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::programs::daemon;
use crate::support::world::{set, write};
use crate::support::{Credentials, Gateway};

/// A configuration with relative paths in the folder `etc`, for a gateway that is started in the folder `work`.
struct Installation {
    root: TempDir,
    config: PathBuf,
}

impl Installation {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let etc = root.path().join("etc");
        std::fs::create_dir(&etc).unwrap();
        std::fs::create_dir(root.path().join("work")).unwrap();
        let socket = Path::new("/nonexistent.sock");
        let mut config = Credentials::new().configure(&etc, socket, &etc.join("unused"));
        for (key, path) in [
            ("tls.certificate", "server.crt"),
            ("tls.key", "server.key"),
            ("tls.client-ca", "client-ca.crt"),
            ("checkpoints.directory", "state/checkpoints"),
            ("audit.file", "state/log/audit.log"),
            ("policy-engine.cache-directory", "state/cache/policies"),
        ] {
            set(&mut config, key, path);
        }
        config["issuers"][0]["jwks-file"] = "jwks.json".into();
        let config = write(&etc, &config);
        Self { root, config }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// `program COMMAND --config ../etc/config.toml`, started in `work`.
    fn command(&self, command: &str) -> Command {
        let mut process = Command::new(daemon());
        process
            .args([command, "--config", "../etc/config.toml"])
            .env_clear()
            .current_dir(self.path("work"));
        process
    }

    fn check(&self) {
        let output = self.command("check").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    async fn serve(&self, variables: &[(&str, &str)]) -> Gateway {
        let mut command = self.command("serve");
        command.envs(variables.iter().copied());
        Gateway::spawn(command.into()).await.unwrap()
    }

    /// Everything that there is, by path.
    fn entries(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut folders = vec![self.root.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                found.insert(path);
            }
        }
        found
    }
}

#[test]
fn paths_count_from_the_folder_of_the_configuration() {
    Installation::new().check();
}

#[test]
fn refuses_a_path_that_exists_only_in_the_working_folder() {
    let installation = Installation::new();
    let (here, elsewhere) = (
        installation.path("etc/server.key"),
        installation.path("work/server.key"),
    );
    std::fs::rename(&here, &elsewhere).unwrap();
    for command in ["check", "serve"] {
        let output = installation.command(command).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        for part in [
            "../etc/config.toml:",
            here.to_str().unwrap(),
            elsewhere.to_str().unwrap(),
        ] {
            assert!(text.contains(part), "{command}: {part}: {text}");
        }
    }
    assert!(!installation.path("etc/state").exists());
    std::fs::rename(&elsewhere, &here).unwrap();
    installation.check();
}

#[tokio::test]
async fn variables_count_from_the_working_folder() {
    let installation = Installation::new();
    let variables = [("CHECKPOINT_GATEWAY_CHECKPOINT_DIRECTORY", "taken/here")];
    let _gateway = installation.serve(&variables).await;
    assert!(installation.path("work/taken/here").is_dir());
    assert!(!installation.path("etc/state/checkpoints").exists());
    assert!(installation.path("etc/state/log/audit.log").is_file());
}

#[tokio::test]
async fn serve_creates_missing_folders_and_logs_each() {
    let installation = Installation::new();
    let gateway = installation.serve(&[]).await;
    let expected = [
        "etc/state",
        "etc/state/checkpoints",
        "etc/state/log",
        "etc/state/cache",
        "etc/state/cache/policies",
    ];
    for folder in expected {
        let mode = installation.path(folder).metadata().unwrap().permissions();
        assert_eq!(mode.mode() & 0o7777, 0o700, "{folder}");
    }
    let lines: Vec<serde_json::Value> = gateway
        .log()
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let created: BTreeSet<_> = lines
        .iter()
        .filter(|line| line["message"] == "created a missing folder")
        .map(|line| line["folder"].as_str().unwrap().to_owned())
        .collect();
    let expected = expected.map(|folder| installation.path(folder).to_str().unwrap().to_owned());
    assert_eq!(created, expected.into());
}

#[tokio::test]
async fn check_creates_nothing_and_runs_beside_serve() {
    let installation = Installation::new();
    let before = installation.entries();
    assert!(before.contains(&installation.config));
    installation.check();
    assert_eq!(installation.entries(), before);
    let mut gateway = installation.serve(&[]).await;
    let before = installation.entries();
    installation.check();
    assert_eq!(installation.entries(), before);
    gateway.signal(rustix::process::Signal::TERM);
    assert!(gateway.wait().await.success());
    // Neither has it taken a lock that a second gateway would miss.
    installation.serve(&[]).await;
}
