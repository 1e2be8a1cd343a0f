//! A real containerd with pods in it, and a gateway in front of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use super::SECRET;
use crate::support::world::write;
use crate::support::{Client, Credentials, Gateway};

/// The variables that `run` sets.
pub(super) struct Containerd {
    pub(super) socket: PathBuf,
    pub(super) directory: PathBuf,
    pub(super) pod: PathBuf,
    pub(super) share: PathBuf,
    pub(super) otlp: String,
}

impl Containerd {
    /// The real containerd; `None`, and why, where there is none.
    pub(super) fn find() -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok();
        let Some(socket) = variable("REAL_CRI_SOCKET") else {
            assert!(
                variable("REAL_CRI_REQUIRED").is_none(),
                "REAL_CRI_REQUIRED is set and REAL_CRI_SOCKET is not"
            );
            eprintln!("skipped: no real containerd; tests/real-cri/run brings one up");
            return None;
        };
        let path = |name: &str| {
            PathBuf::from(variable(name).unwrap_or_else(|| panic!("{name} is not set")))
        };
        Some(Self {
            socket: socket.into(),
            directory: path("REAL_CRI_DIR"),
            pod: path("REAL_CRI_POD"),
            share: path("REAL_CRI_SHARE"),
            otlp: variable("REAL_CRI_OTLP").expect("REAL_CRI_OTLP"),
        })
    }

    pub(super) fn run(command: &mut Command) -> String {
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn call(&self, method: &str, fields: &[&str]) -> String {
        Self::run(
            Command::new(&self.pod)
                .arg(&self.socket)
                .arg("call")
                .arg(method)
                .args(fields),
        )
    }

    /// Imports an OCI image layout, as an operator would, and waits until CRI knows the image too.
    pub(super) fn import(&self, layout: &Path, name: &str) {
        let packed = layout.with_extension("tar");
        let mut tar = tar::Builder::new(std::fs::File::create(&packed).unwrap());
        tar.append_dir_all(".", layout).unwrap();
        tar.finish().unwrap();
        let images = |arguments: &[&str]| {
            let mut command = Command::new(self.directory.join("in-ns"));
            command
                .args(["ctr", "-a"])
                .arg(&self.socket)
                .args(["-n", "k8s.io", "images"]);
            Self::run(command.args(arguments))
        };
        images(&["import", packed.to_str().unwrap()]);
        let begun = Instant::now();
        let known =
            |line: &str| line.starts_with(name) && line.contains("io.cri-containerd.image=managed");
        while !images(&["ls"]).lines().any(known) {
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "CRI does not know {name}"
            );
        }
    }

    /// `checkpointctl`, as an operator would use it.
    pub(super) fn checkpointctl(&self, arguments: &[&str]) -> String {
        Self::run(
            Command::new(self.directory.join("in-ns"))
                .arg("checkpointctl")
                .args(arguments),
        )
    }
}

/// A running pod that counts once a second and holds memory; gone when dropped.
pub(super) struct Counter<'a> {
    pub(super) containerd: &'a Containerd,
    pub(super) name: &'static str,
    pub(super) container_id: String,
    pub(super) sandbox_id: String,
    pub(super) log: PathBuf,
}

impl<'a> Counter<'a> {
    pub(super) fn start(containerd: &'a Containerd, name: &'static str, mib: u32) -> Self {
        let mut command = Command::new(&containerd.pod);
        command.arg(&containerd.socket).args([
            "shop",
            name,
            "app",
            &mib.to_string(),
            &format!("API_KEY={SECRET}"),
        ]);
        let counter = Self::of(containerd, name, &Containerd::run(&mut command));
        counter.goes_on(0); // it counts once all its memory is there
        counter
    }

    /// The same with a script of its own, which says `tick N ` once a second.
    pub(super) fn script(
        containerd: &'a Containerd,
        name: &'static str,
        script: &str,
        environment: &[String],
    ) -> Self {
        let mut command = Command::new(&containerd.pod);
        command
            .arg(&containerd.socket)
            .args(["script", "shop", name, "app", script])
            .args(environment);
        let counter = Self::of(containerd, name, &Containerd::run(&mut command));
        counter.goes_on(0);
        counter
    }

    /// The same, going on from an archive.
    pub(super) fn restore(containerd: &'a Containerd, name: &'static str, archive: &Path) -> Self {
        Self::restored(containerd, name, archive, &[])
    }

    /// The same, going on from the image that was made of an archive.
    pub(super) fn from_image(
        containerd: &'a Containerd,
        name: &'static str,
        archive: &Path,
        image: &str,
    ) -> Self {
        Self::restored(containerd, name, archive, &[image])
    }

    fn restored(
        containerd: &'a Containerd,
        name: &'static str,
        archive: &Path,
        image: &[&str],
    ) -> Self {
        let mut command = Command::new(&containerd.pod);
        command
            .arg(&containerd.socket)
            .arg("restore")
            .arg(archive)
            .args(["shop", name, "app"])
            .args(image);
        Self::of(containerd, name, &Containerd::run(&mut command))
    }

    pub(super) fn of(containerd: &'a Containerd, name: &'static str, told: &str) -> Self {
        let told: Value = serde_json::from_str(told).unwrap();
        let text = |key: &str| told[key].as_str().unwrap().to_owned();
        Self {
            containerd,
            name,
            container_id: text("container_id"),
            sandbox_id: text("sandbox_id"),
            log: text("log").into(),
        }
    }

    pub(super) fn path(&self) -> String {
        format!("/checkpoint/shop/{}/app", self.name)
    }

    /// The last number that it counted to.
    pub(super) fn ticks(&self) -> u32 {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let last = log
            .lines()
            .rev()
            .find_map(|line| line.split("tick ").nth(1)?.split(' ').next()?.parse().ok());
        last.unwrap_or_default()
    }

    /// Waits until it has counted on from `from`, twice, so that no line that was on its way can feign it.
    pub(super) fn goes_on(&self, from: u32) {
        let begun = Instant::now();
        while self.ticks() < from + 2 {
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "{} is frozen at {}",
                self.name,
                self.ticks()
            );
            std::thread::yield_now();
        }
    }
}

impl Drop for Counter<'_> {
    fn drop(&mut self) {
        // A checkpoint that a test cut short may have left it paused, and then it would not die.
        let ctr = |arguments: &[&str]| {
            let mut command = Command::new(self.containerd.directory.join("in-ns"));
            command
                .arg("ctr")
                .arg("-a")
                .arg(&self.containerd.socket)
                .args(["-n", "k8s.io", "tasks"])
                .args(arguments);
            command.output()
        };
        let _ = ctr(&["resume", &self.container_id]);
        for method in ["StopPodSandbox", "RemovePodSandbox"] {
            let field = format!("1={}", self.sandbox_id);
            let _ = Command::new(&self.containerd.pod)
                .arg(&self.containerd.socket)
                .args(["call", method, &field])
                .output();
        }
    }
}

/// A gateway in front of the real containerd.
pub(super) struct Front {
    pub(super) gateway: Gateway,
    pub(super) credentials: Credentials,
    pub(super) directory: TempDir,
    pub(super) config: toml::Table,
}

impl Front {
    pub(super) async fn start(
        containerd: &Containerd,
        change: impl FnOnce(&mut toml::Table),
    ) -> Self {
        let directory = TempDir::new_in(&containerd.share).unwrap();
        let credentials = Credentials::new();
        let checkpoints = directory.path().join("checkpoints");
        let mut config = credentials.configure(directory.path(), &containerd.socket, &checkpoints);
        change(&mut config);
        let gateway = Gateway::start(&write(directory.path(), &config)).await;
        Self {
            gateway,
            credentials,
            directory,
            config,
        }
    }

    pub(super) fn client(&self) -> Client {
        let client = Client::new(self.gateway.address, self.credentials.authority.pem());
        client.with_token(&self.credentials.token("alice"))
    }

    pub(super) async fn take(&self, counter: &Counter<'_>) -> PathBuf {
        self.traced(counter).await.0
    }

    /// The archive, and the id of its capture's trace.
    pub(super) async fn traced(&self, counter: &Counter<'_>) -> (PathBuf, String) {
        let answer = self.client().post(&counter.path()).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let archive = answer.json()["items"][0].as_str().unwrap().into();
        (archive, answer.header("x-trace-id").to_owned())
    }

    /// The names in the checkpoint folder, those of unpublished work included.
    pub(super) fn files(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut folders = vec![self.directory.path().join("checkpoints")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    names.insert(path.file_name().unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        names
    }

    pub(super) fn archives(&self) -> Vec<String> {
        let is_archive = |name: &String| {
            name.starts_with("checkpoint-")
                && Path::new(name)
                    .extension()
                    .is_some_and(|kind| kind == "tar")
        };
        self.files().into_iter().filter(is_archive).collect()
    }
}
