//! The embedded runtime: starts and stops pods, and serves CRI on a socket.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_proto::v1::runtime_service_server::RuntimeServiceServer;
use parking_lot::Mutex;
use tokio::net::UnixListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::metadata::MetadataMap;
use tonic::transport::Server;

use crate::activity::{Calls, Counter, Method};
use crate::author::{Author, Dialect};
use crate::behaviour::Behaviour;
use crate::connection::Connection;
use crate::container::{Container, Sandbox};
use crate::error::Error;
use crate::launch::make_folder;
use crate::pod::{ContainerSpec, Pod, RunningContainer, RunningPod};
use crate::service::Service;
use crate::shared::Shared;
use crate::tasks::Tasks;

/// The options of a node.
#[derive(Debug, Clone)]
pub struct Options {
    /// The path of the unix socket to listen on. It must not exist.
    pub socket: PathBuf,
    /// The folder for logs, working directories and dumps; created with mode 0700 if it does not exist.
    pub state: PathBuf,
    /// The runtime's name.
    pub name: String,
    /// The runtime's version.
    pub version: String,
    /// The runtime that it imitates.
    pub dialect: Dialect,
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

/// A running embedded runtime. Dropping it stops the server, kills and reaps its containers and removes its socket; the
/// state folder stays.
#[derive(Debug)]
pub struct Node {
    options: Options,
    shared: Arc<Shared>,
}

impl Node {
    /// Binds the socket and serves it, within the current tokio runtime.
    #[expect(
        clippy::unused_async,
        reason = "it must be called within a tokio runtime"
    )]
    pub async fn start(options: Options) -> Result<Self, Error> {
        make_folder(&options.state)?;
        let state = options
            .state
            .canonicalize()
            .map_err(Error::state(&options.state))?;
        let listener = UnixListener::bind(&options.socket).map_err(|source| Error::Listen {
            path: options.socket.clone(),
            source,
        })?;
        let shared = Arc::new(Shared {
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
            tasks: Tasks::default(),
        });
        let server = serve(listener, Arc::clone(&shared));
        shared.tasks.tracker.spawn(server);
        Ok(Self { options, shared })
    }

    /// The path of the socket.
    pub fn socket(&self) -> &Path {
        &self.options.socket
    }

    /// Starts a pod and its containers. If one of them cannot be started, the others are stopped.
    #[expect(
        clippy::unused_async,
        reason = "it must be called within a tokio runtime"
    )]
    pub async fn run_pod(&self, pod: Pod) -> Result<RunningPod, Error> {
        let sandbox = Arc::new(Sandbox::new(&pod));
        self.shared
            .registry
            .lock()
            .add_sandbox(Arc::clone(&sandbox));
        let started: Result<Vec<_>, _> = pod
            .containers
            .into_iter()
            .map(|spec| self.shared.launch(&sandbox, spec))
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

    /// Starts another container in a pod. A container with a known name gets a new id and the next attempt number.
    #[expect(
        clippy::unused_async,
        reason = "it must be called within a tokio runtime"
    )]
    pub async fn add_container(
        &self,
        sandbox_id: &str,
        spec: ContainerSpec,
    ) -> Result<RunningContainer, Error> {
        let sandbox = self
            .shared
            .registry
            .lock()
            .sandbox(sandbox_id)
            .map_err(|_| Error::unknown(sandbox_id))?;
        Ok(self.shared.launch(&sandbox, spec)?.running())
    }

    /// Kills a container and reaps it; it is then listed as exited.
    pub fn stop_container(&self, id: &str) -> Result<(), Error> {
        let container = self.container(id)?;
        container.process.end();
        Ok(())
    }

    /// Waits until a container has ended, and returns its exit code: 128 plus the signal's number if it was killed.
    pub async fn wait_for_exit(&self, id: &str) -> Result<i32, Error> {
        let container = self.container(id)?;
        Ok(container.process.ended().await.map_or(-1, |exit| exit.code))
    }

    /// Kills a pod's containers and removes the pod.
    pub fn remove_pod(&self, sandbox_id: &str) -> Result<(), Error> {
        let sandbox = self
            .shared
            .registry
            .lock()
            .sandbox(sandbox_id)
            .map_err(|_| Error::unknown(sandbox_id))?;
        self.forget(&sandbox.id);
        Ok(())
    }

    /// The calls so far.
    pub fn calls(&self) -> Calls {
        self.shared.counter.now()
    }

    /// The number of `CheckpointContainer` calls so far, whatever their outcome.
    pub fn checkpoint_calls(&self) -> usize {
        self.calls().of(Method::CheckpointContainer)
    }

    /// Waits until the calls satisfy `reached`, which may already be so.
    pub async fn wait_for_calls(&self, reached: impl FnMut(&Calls) -> bool) -> Calls {
        self.shared.counter.wait_for(reached).await
    }

    /// The gRPC metadata of the last `CheckpointContainer`.
    pub fn last_metadata(&self) -> Option<MetadataMap> {
        self.shared.metadata.lock().clone()
    }

    /// Sets the behaviour of future calls. Calls in progress keep the behaviour with which they started.
    pub fn behave(&self, behaviour: impl Into<Behaviour>) {
        *self.shared.behaviour.lock() = behaviour.into();
    }

    /// Stops the node as dropping it does, and waits until its calls and tasks have ended.
    pub async fn stop(self) {
        let tasks = self.shared.tasks.tracker.clone();
        drop(self);
        tasks.wait().await;
    }

    fn container(&self, id: &str) -> Result<Arc<Container>, Error> {
        self.shared
            .registry
            .lock()
            .container(id)
            .map_err(|_| Error::unknown(id))
    }

    fn forget(&self, sandbox: &str) {
        let gone = self.shared.registry.lock().remove(sandbox);
        for container in gone {
            container.process.end();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.shared.tasks.stop.cancel();
        self.shared.tasks.tracker.close();
        let containers = self.shared.registry.lock().containers().to_vec();
        for container in containers {
            container.process.end();
        }
        // It may have been removed already.
        let _ = fs::remove_file(&self.options.socket);
    }
}

async fn serve(listener: UnixListener, shared: Arc<Shared>) {
    let stop = shared.tasks.stop.clone();
    let connections = UnixListenerStream::new(listener).map(|stream| stream.map(Connection::new));
    let served = Server::builder()
        .add_service(RuntimeServiceServer::new(Service(shared)))
        .serve_with_incoming_shutdown(connections, stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!(error = %error, "the embedded runtime stopped serving");
    }
}
