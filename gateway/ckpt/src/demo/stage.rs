//! Starts and stops everything that the demo needs.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use gateway_core::Record;
use gateway_node::{ContainerSpec, Node, Options, Pod, RunningContainer};
use gateway_server::telemetry::{self, Telemetry};
use gateway_server::{Ended, Gateway};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client::{Client, Proof};
use super::credentials::Credentials;
use super::spans::Spans;
use super::{settings, workload};

/// The demo's container.
pub(super) const TARGET: &str = "shop/cart-0/app";

/// The longest path of a unix socket, in bytes (unix(7)).
const SOCKET_MAX: usize = 107;
/// The longest start of the container's process.
const START: Duration = Duration::from_secs(5);

/// The embedded runtime, its pod and the gateway, with their files in one private folder.
pub(super) struct Stage {
    pub(super) node: Node,
    pub(super) credentials: Credentials,
    pub(super) spans: Spans,
    /// The secret in the container's environment.
    pub(super) secret: String,
    /// The main listener.
    pub(super) address: SocketAddr,
    /// Health and metrics.
    pub(super) admin: SocketAddr,
    container: RunningContainer,
    telemetry: Telemetry,
    gateway: JoinHandle<Ended>,
    halt: CancellationToken,
    folder: TempDir,
}

impl Stage {
    /// Starts everything. If a part fails, the parts before it are stopped.
    pub(super) async fn start() -> Result<Self> {
        let folder = folder()?;
        let credentials = Credentials::make(folder.path())?;
        let secret = secret()?;
        let node = node(folder.path()).await?;
        let container = container(&node, &secret).await?;
        let config = settings::write(folder.path(), node.socket())?;
        let spans = Spans::default();
        let telemetry = Telemetry::init(&config.telemetry, Some(spans.processor()))?;
        let halt = CancellationToken::new();
        let gateway = Gateway::start(
            &config,
            &telemetry,
            Arc::new(telemetry::inject),
            halt.clone(),
        )
        .await?;
        let (address, admin) = (gateway.address()?, gateway.admin_address()?);
        let gateway = TaskTracker::new().spawn(gateway.run());
        Ok(Self {
            node,
            credentials,
            spans,
            secret,
            address,
            admin,
            container,
            telemetry,
            gateway,
            halt,
            folder,
        })
    }

    pub(super) fn client(&self, proof: &Proof) -> Result<Client> {
        Client::new(self.address, &self.credentials.ca, proof)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn audit_log(&self) -> Result<Vec<Record>> {
        let text = fs::read_to_string(self.folder().join("audit.log"))
            .context("cannot read the audit log")?;
        let records = text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>();
        records.context("a line of the audit log is not a record")
    }

    /// The state of the container's process: the word after the name in parentheses, which may contain anything (proc(5)).
    pub(super) fn process_state(&self) -> Option<char> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.container.pid)).ok()?;
        stat.rsplit_once(')')?.1.trim_start().chars().next()
    }

    /// Stops everything and removes the folder.
    pub(super) async fn stop(self) -> Result<()> {
        self.halt.cancel();
        let ended = self.gateway.await;
        self.node.stop().await;
        self.telemetry.shutdown().await;
        let path = self.folder.path().to_path_buf();
        self.folder
            .close()
            .with_context(|| format!("cannot remove `{}`: remove it yourself", path.display()))?;
        match ended.context("the gateway ended unexpectedly")? {
            Ended::Clean => Ok(()),
            Ended::Aborted(count) => bail!("{count} checkpoints were still running"),
        }
    }
}

/// A private folder, for keys and an archive.
fn folder() -> Result<TempDir> {
    let parent = std::env::temp_dir();
    let mut builder = tempfile::Builder::new();
    builder
        .prefix("checkpoint-gateway-demo-")
        .permissions(Permissions::from_mode(0o700));
    // The runtime needs absolute paths.
    let folder = parent
        .canonicalize()
        .and_then(|parent| builder.tempdir_in(parent));
    folder.with_context(|| {
        format!(
            "cannot make a folder in `{}`: set TMPDIR to a folder that you may write to",
            parent.display()
        )
    })
}

/// A random secret that opens nothing.
fn secret() -> Result<String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).context("the system has no randomness")?;
    Ok(format!("demo-{}", hex::encode(bytes)))
}

async fn node(folder: &Path) -> Result<Node> {
    let socket = folder.join("cri.sock");
    ensure!(
        socket.as_os_str().len() <= SOCKET_MAX,
        "`{}` is too long for a socket's path: set TMPDIR to a shorter one",
        socket.display()
    );
    Ok(Node::start(Options::new(socket, folder.join("node"))).await?)
}

async fn container(node: &Node, secret: &str) -> Result<RunningContainer> {
    let program = std::env::current_exe().context("cannot find this program's file")?;
    let program = program
        .to_str()
        .context("the path of this program is not UTF-8: copy it elsewhere")?;
    let spec = ContainerSpec::new("app", [program, "workload"]).env(workload::SECRET, secret);
    let pod = node.run_pod(Pod::new("shop", "cart-0", [spec])).await?;
    let container = pod
        .containers
        .into_iter()
        .next()
        .context("the pod has no container")?;
    let log = container.log_path.clone();
    let ready = async {
        while !fs::read_to_string(&log).is_ok_and(|text| text.contains(workload::READY)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(START, ready).await.is_err() {
        let output = fs::read_to_string(&log).unwrap_or_default();
        bail!(
            "the container's process ({program} workload) was not ready within {} s: {}",
            START.as_secs(),
            if output.is_empty() {
                "no output; is the machine very busy?"
            } else {
                output.trim_end()
            }
        );
    }
    Ok(container)
}
