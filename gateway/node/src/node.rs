use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gateway_proto::v1::runtime_service_server::RuntimeServiceServer;
use tokio::net::UnixListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::metadata::MetadataMap;
use tonic::transport::Server;

use crate::activity::Counter;
use crate::connection::Connection;
use crate::container::{Container, Sandbox};
use crate::dump::Author;
use crate::launch::{cannot_create, make_folder};
use crate::process::lock;
use crate::registry::Registry;
use crate::service::Service;
use crate::{Behaviour, Calls, ContainerSpec, Error, Method, Pod, RunningContainer, RunningPod};

/// How a node is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen: the path of a unix socket, which must not exist.
    pub socket: PathBuf,
    /// The folder for logs, working directories and dumps; made with mode 0700 where it does not exist.
    pub state: PathBuf,
    /// The runtime's name.
    pub name: String,
    /// The runtime's version.
    pub version: String,
    /// Whose archives it writes.
    pub dialect: Dialect,
}

/// The runtime whose archives a node writes: which members there are, in which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// containerd's.
    #[default]
    Containerd,
    /// CRI-O's.
    CriO,
}

impl Options {
    /// A node called `checkpoint-gateway-node` of this program's version, which writes containerd's archives.
    pub fn new(socket: impl Into<PathBuf>, state: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            state: state.into(),
            name: "checkpoint-gateway-node".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            dialect: Dialect::default(),
        }
    }
}

/// A running embedded runtime. Dropping it stops the server, kills and reaps its containers and removes its socket; what
/// lies in the state folder stays.
#[derive(Debug)]
pub struct Node {
    options: Options,
    inner: Arc<Inner>,
}

/// What the server's calls need.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) author: Author,
    /// Absolute.
    pub(crate) state: PathBuf,
    pub(crate) registry: Mutex<Registry>,
    pub(crate) counter: Counter,
    pub(crate) behaviour: Mutex<Behaviour>,
    pub(crate) metadata: Mutex<Option<MetadataMap>>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Node {
    /// Binds the socket and serves it. Must be called within a tokio runtime, and lives no longer than that.
    #[expect(
        clippy::unused_async,
        reason = "so that it can only be called where a reactor is at hand"
    )]
    pub async fn start(options: Options) -> Result<Self, Error> {
        make_folder(&options.state)?;
        let state = options
            .state
            .canonicalize()
            .map_err(cannot_create(&options.state))?;
        let listener = UnixListener::bind(&options.socket).map_err(|source| Error::Listen {
            path: options.socket.clone(),
            source,
        })?;
        let inner = Arc::new(Inner {
            author: Author {
                runtime: options.name.clone(),
                version: options.version.clone(),
                dialect: options.dialect,
            },
            state,
            registry: Mutex::default(),
            counter: Counter::default(),
            behaviour: Mutex::default(),
            metadata: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        inner.tasks.spawn(serve(listener, Arc::clone(&inner)));
        Ok(Self { options, inner })
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.options.socket
    }

    /// Starts a pod and its containers. Where one of them cannot be started, none is left.
    #[expect(
        clippy::unused_async,
        reason = "its containers are looked after by the reactor, which must be at hand"
    )]
    pub async fn run_pod(&self, pod: Pod) -> Result<RunningPod, Error> {
        let sandbox = Arc::new(Sandbox::new(&pod));
        lock(&self.inner.registry).add_sandbox(Arc::clone(&sandbox));
        let started: Result<Vec<_>, _> = pod
            .containers
            .into_iter()
            .map(|spec| self.inner.launch(&sandbox, spec))
            .collect();
        let containers = started.inspect_err(|_| self.forget(&sandbox.id))?;
        Ok(RunningPod {
            uid: sandbox.uid.clone(),
            sandbox_id: sandbox.id.clone(),
            containers: containers
                .iter()
                .map(|container| container.running())
                .collect(),
        })
    }

    /// Starts one more container in a pod. A name that was there before gets a new id and the next attempt's number.
    #[expect(
        clippy::unused_async,
        reason = "the container is looked after by the reactor, which must be at hand"
    )]
    pub async fn add_container(
        &self,
        sandbox_id: &str,
        spec: ContainerSpec,
    ) -> Result<RunningContainer, Error> {
        let sandbox = lock(&self.inner.registry)
            .sandbox(sandbox_id)
            .map_err(|_| unknown(sandbox_id))?;
        Ok(self.inner.launch(&sandbox, spec)?.running())
    }

    /// Kills a container and reaps it; it is then listed as exited.
    pub fn stop_container(&self, id: &str) -> Result<(), Error> {
        let container = self.container(id)?;
        container.process.end();
        Ok(())
    }

    /// Waits until a container has ended, and gives its exit code: 128 and the signal's number where it was killed.
    pub async fn wait_for_exit(&self, id: &str) -> Result<i32, Error> {
        let container = self.container(id)?;
        Ok(container.process.ended().await.map_or(-1, |exit| exit.code))
    }

    /// Kills and forgets a pod and its containers.
    pub fn remove_pod(&self, sandbox_id: &str) -> Result<(), Error> {
        let sandbox = lock(&self.inner.registry)
            .sandbox(sandbox_id)
            .map_err(|_| unknown(sandbox_id))?;
        self.forget(&sandbox.id);
        Ok(())
    }

    /// The calls that have been received so far.
    pub fn calls(&self) -> Calls {
        self.inner.counter.now()
    }

    /// How many checkpoints have been asked for, of whatever container and with whatever outcome.
    pub fn checkpoint_calls(&self) -> usize {
        self.calls().of(Method::CheckpointContainer)
    }

    /// Waits until the calls have come to be so: at once where they are.
    pub async fn wait_for_calls(&self, reached: impl FnMut(&Calls) -> bool) -> Calls {
        self.inner.counter.wait_for(reached).await
    }

    /// The gRPC metadata of the last `CheckpointContainer`.
    pub fn last_metadata(&self) -> Option<MetadataMap> {
        lock(&self.inner.metadata).clone()
    }

    /// Behaves so from the next call on; calls in progress keep the behaviour that they began with.
    pub fn behave(&self, behaviour: impl Into<Behaviour>) {
        *lock(&self.inner.behaviour) = behaviour.into();
    }

    /// Stops it as dropping does, and waits until the last of its calls and tasks has ended.
    pub async fn stop(self) {
        let tasks = self.inner.tasks.clone();
        drop(self);
        tasks.wait().await;
    }

    fn container(&self, id: &str) -> Result<Arc<Container>, Error> {
        lock(&self.inner.registry)
            .container(id)
            .map_err(|_| unknown(id))
    }

    fn forget(&self, sandbox: &str) {
        let gone = lock(&self.inner.registry).remove(sandbox);
        for container in gone {
            container.process.end();
        }
    }
}

impl Inner {
    /// Runs a task until it or the node ends.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks
            .spawn(async move { stop.run_until_cancelled(task).await });
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        let containers = lock(&self.inner.registry).containers().to_vec();
        for container in containers {
            container.process.end();
        }
        // Somebody may have removed it already.
        let _ = fs::remove_file(&self.options.socket);
    }
}

async fn serve(listener: UnixListener, inner: Arc<Inner>) {
    let stop = inner.stop.clone();
    let connections = UnixListenerStream::new(listener).map(|stream| stream.map(Connection::new));
    let served = Server::builder()
        .add_service(RuntimeServiceServer::new(Service(inner)))
        .serve_with_incoming_shutdown(connections, stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!(error = %error, "the embedded runtime no longer serves");
    }
}

fn unknown(id: &str) -> Error {
    Error::Unknown { id: id.to_owned() }
}
