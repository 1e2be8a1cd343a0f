//! Helpers of these tests: a node with a client, and containers that answer.

use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_node::{ContainerSpec, Dialect, Node, Options, Pod, RunningContainer, RunningPod};
use gateway_proto::v1::CheckpointContainerRequest;
use gateway_proto::v1::runtime_service_client::RuntimeServiceClient;
use hyper_util::rt::TokioIo;
use procfs::process::Stat;
use rustix::fs::{CWD, FileType, Mode};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

/// The timeout of events that are immediate unless something is broken.
pub(crate) const BOUND: Duration = Duration::from_mins(1);

/// A secret in the environment of every container.
pub(crate) const SECRET: &str = "swordfish-in-the-environment";

/// A node, its client and their folder.
pub(crate) struct Fixture {
    pub(crate) node: Node,
    pub(crate) client: RuntimeServiceClient<Channel>,
    folder: TempDir,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::start_as(Dialect::default()).await
    }

    pub(crate) async fn start_as(dialect: Dialect) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("node.sock");
        let options = Options {
            dialect,
            ..Options::new(&socket, folder.path().join("state"))
        };
        let node = Node::start(options).await.unwrap();
        let client = RuntimeServiceClient::new(channel(socket));
        Self {
            node,
            client,
            folder,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        path
    }

    /// Runs a pod with a container that answers lines and has an idle child process.
    pub(crate) async fn run_echo(&self) -> (RunningPod, Echo) {
        let (input, output) = (self.fifo("in"), self.fifo("out"));
        let script =
            "sleep 100000 & while read -r line <\"$IN\"; do echo \"heard $line\" >\"$OUT\"; done";
        let mut spec = ContainerSpec::new("app", ["/bin/sh", "-c", script])
            .env("SECRET", SECRET)
            .env("IN", input.display().to_string())
            .env("OUT", output.display().to_string());
        spec.files
            .insert("etc/app.conf".into(), b"password=hunter2\n".to_vec());
        let pod = self
            .node
            .run_pod(Pod::new("shop", "cart-0", [spec]))
            .await
            .unwrap();
        let mut echo = Echo::open(&input, &output);
        assert_eq!(echo.say("hello").await, "heard hello");
        // The child is forked by now, but may not have called exec yet.
        let pid = pod.containers[0].pid;
        until(|| {
            children(pid)
                .iter()
                .any(|child| stat(*child).is_some_and(|stat| stat.comm == "sleep"))
        })
        .await;
        (pod, echo)
    }

    /// Runs a pod with an idle container.
    pub(crate) async fn run_idle(&self, name: &str) -> (RunningPod, RunningContainer) {
        let spec = ContainerSpec::new("app", ["/bin/sleep", "100000"]);
        let pod = self
            .node
            .run_pod(Pod::new("shop", name, [spec]))
            .await
            .unwrap();
        let container = pod.container("app").unwrap().clone();
        (pod, container)
    }

    pub(crate) async fn checkpoint(&self, id: &str, location: &Path) -> Result<(), Status> {
        let request = CheckpointContainerRequest {
            container_id: id.to_owned(),
            location: location.display().to_string(),
            timeout: 0,
        };
        self.client
            .clone()
            .checkpoint_container(request)
            .await
            .map(drop)
    }

    /// The gRPC code and text with which a checkpoint fails.
    pub(crate) async fn refusal(&self, id: &str, location: &Path) -> (Code, String) {
        let status = self.checkpoint(id, location).await.unwrap_err();
        (status.code(), status.message().to_owned())
    }
}

fn channel(socket: PathBuf) -> Channel {
    let connect = tower::service_fn(move |_| {
        let socket = socket.clone();
        async move { Ok::<_, io::Error>(TokioIo::new(UnixStream::connect(socket).await?)) }
    });
    Endpoint::from_static("http://node").connect_with_connector_lazy(connect)
}

/// A dialogue with the first process of a container.
pub(crate) struct Echo {
    input: pipe::Sender,
    output: BufReader<pipe::Receiver>,
}

impl Echo {
    fn open(input: &Path, output: &Path) -> Self {
        let mut options = pipe::OpenOptions::new();
        options.read_write(true);
        Self {
            input: options.open_sender(input).unwrap(),
            output: BufReader::new(options.open_receiver(output).unwrap()),
        }
    }

    /// Sends one line and waits for the answer. A frozen process does not answer.
    pub(crate) async fn say(&mut self, line: &str) -> String {
        let mut answer = String::new();
        let talk = async {
            self.input.write_all(format!("{line}\n").as_bytes()).await?;
            self.output.read_line(&mut answer).await
        };
        tokio::time::timeout(BOUND, talk).await.unwrap().unwrap();
        answer.trim_end().to_owned()
    }
}

pub(crate) fn is_fifo(path: &Path) -> bool {
    path.metadata().unwrap().file_type().is_fifo()
}

fn stat(pid: u32) -> Option<Stat> {
    procfs::process::Process::new(i32::try_from(pid).unwrap())
        .ok()?
        .stat()
        .ok()
}

/// The state of a process in `/proc` (`R`, `S`, `T`, ...); `None` if it does not exist.
pub(crate) fn state(pid: u32) -> Option<char> {
    stat(pid).map(|stat| stat.state)
}

/// Waits until the state of a process satisfies `wanted`.
pub(crate) async fn until_state(pid: u32, wanted: impl Fn(Option<char>) -> bool) {
    until(|| wanted(state(pid))).await;
}

pub(crate) async fn until(reached: impl Fn() -> bool) {
    let wait = async {
        while !reached() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, wait).await.unwrap();
}

/// The living child processes of `pid`.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let all = procfs::process::all_processes().unwrap();
    all.filter_map(|process| process.ok()?.stat().ok())
        .filter(|stat| stat.ppid.unsigned_abs() == pid)
        .map(|stat| stat.pid.unsigned_abs())
        .collect()
}
