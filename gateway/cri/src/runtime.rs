//! The client: its connection, its calls and its running checkpoints.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway_core::{Container, RuntimeInfo, one_line};
use gateway_proto::v1::runtime_service_client::RuntimeServiceClient;
use gateway_proto::v1::{CheckpointContainerRequest, StatusRequest, VersionRequest};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio_util::task::TaskTracker;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Request, Response, Status};
use tracing::{Instrument, Span, field::Empty, info_span};

use crate::error::Error;
use crate::failure::{self, Failure};
use crate::permit::CheckpointPermit;
use crate::queue::{Limits, Queue};

/// Returns the headers that propagate the current trace to the runtime: names in lower case, such as `traceparent`.
pub type Propagate = Arc<dyn Fn() -> Vec<(String, String)> + Send + Sync>;

pub(crate) type Client = RuntimeServiceClient<InterceptedService<Channel, TraceHeaders>>;

/// The timeout of every RPC except a checkpoint, which has none.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout of a connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest runtime name or version that is passed on, in bytes.
const NAME_MAX: usize = 128;

/// A client of a container runtime. Clones share the connection, the queue and the running checkpoints.
#[derive(Clone)]
pub struct Runtime {
    socket: PathBuf,
    client: Client,
    queue: Arc<Queue>,
    tasks: TaskTracker,
}

impl Runtime {
    /// A client for the runtime at `socket`. It connects when it is first used, and reconnects after the runtime is restarted.
    pub fn new(socket: &Path, limits: Limits, propagate: Propagate) -> Self {
        let path = socket.to_path_buf();
        // The URI only fills the `:authority` header; the connector goes to the socket.
        let channel = Endpoint::from_static("http://localhost")
            .connect_timeout(CONNECT_TIMEOUT)
            .connect_with_connector_lazy(tower::service_fn(move |_: Uri| {
                let path = path.clone();
                async move { UnixStream::connect(path).await.map(TokioIo::new) }
            }));
        Self {
            socket: socket.to_path_buf(),
            client: RuntimeServiceClient::with_interceptor(channel, TraceHeaders(propagate)),
            queue: Arc::new(Queue::new(limits)),
            tasks: TaskTracker::new(),
        }
    }

    /// The path of the runtime's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The runtime's name and version.
    ///
    /// # Errors
    /// [`Error::LookUp`] if it does not answer.
    pub async fn info(&self) -> Result<RuntimeInfo, Error> {
        let mut client = self.client();
        let answer = self
            .look_up(
                "Version",
                client.version(VersionRequest {
                    version: "v1".to_owned(),
                }),
            )
            .await?;
        Ok(RuntimeInfo {
            name: one_line(&answer.runtime_name, NAME_MAX),
            version: one_line(&answer.runtime_version, NAME_MAX),
        })
    }

    /// Checks that the runtime reports itself as ready to run containers.
    ///
    /// # Errors
    /// [`Error::LookUp`] if it does not answer, [`Error::BadAnswer`] if it is not ready.
    pub async fn ready(&self) -> Result<(), Error> {
        let mut client = self.client();
        let answer = self
            .look_up("Status", client.status(StatusRequest { verbose: false }))
            .await?;
        let conditions = answer.status.unwrap_or_default().conditions;
        let ready = conditions
            .iter()
            .any(|condition| condition.r#type == "RuntimeReady" && condition.status);
        if ready {
            Ok(())
        } else {
            Err(Error::BadAnswer {
                method: "Status",
                why: "the runtime is not ready",
            })
        }
    }

    /// Waits until no other checkpoint of this container runs and the node runs fewer than its limit.
    ///
    /// # Errors
    /// [`Error::Busy`], without waiting, if too many checkpoints wait already.
    pub async fn permit(&self, container: &Container) -> Result<CheckpointPermit, Error> {
        CheckpointPermit::wait(&self.queue, container).await
    }

    /// Asks the runtime to write a checkpoint of the permitted container to `location`, an absolute path. Dropping the future only
    /// stops waiting: the RPC continues to its end and holds a clone of `permit` until then.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] with the runtime's error.
    pub async fn checkpoint(
        &self,
        permit: &CheckpointPermit,
        location: &Path,
    ) -> Result<(), Error> {
        let method = "CheckpointContainer";
        let request = CheckpointContainerRequest {
            container_id: permit.container_id().to_owned(),
            location: location.to_string_lossy().into_owned(),
            timeout: 0, // A runtime that applies it would interrupt the dump. The caller's timeout only bounds its own wait.
        };
        let mut client = self.client();
        let span = rpc_span(method);
        let held = permit.clone();
        let call = async move {
            let _permit = held;
            let answer = client.checkpoint_container(request).await;
            record(&answer);
            answer
        };
        let answer = self.tasks.spawn(call.instrument(span)).await;
        // The task only fails if the tokio runtime shuts down or the client panics.
        let answer = answer.unwrap_or_else(|_| Err(Status::internal("the call did not complete")));
        answer.map(drop).map_err(|status| Error::Checkpoint {
            target: permit.target().clone(),
            failure: Failure::new(&status),
        })
    }

    /// Waits for all running checkpoints. None is cancelled.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) async fn look_up<T>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Error> {
        let answer = async {
            let answer = tokio::time::timeout(LOOK_UP_TIMEOUT, call).await;
            let answer =
                answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in 10 s")));
            record(&answer);
            answer
        };
        let answer = answer.instrument(rpc_span(method)).await;
        answer
            .map(Response::into_inner)
            .map_err(|status| Error::LookUp {
                method,
                socket: self.socket.clone(),
                failure: Failure::new(&status),
            })
    }
}

/// A client span according to OpenTelemetry's conventions for RPC.
fn rpc_span(method: &'static str) -> Span {
    info_span!(
        "rpc",
        otel.name = format!("runtime.v1.RuntimeService/{method}"),
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = format!("runtime.v1.RuntimeService/{method}"),
        rpc.response.status_code = Empty,
    )
}

fn record<T>(answer: &Result<Response<T>, Status>) {
    let code = answer.as_ref().map_or_else(Status::code, |_| Code::Ok);
    let span = Span::current();
    span.record("rpc.response.status_code", failure::names(code).canonical);
    if code != Code::Ok {
        span.record("otel.status_code", "ERROR");
    }
}

/// Adds the headers of the current trace to the metadata of every call.
#[derive(Clone)]
pub(crate) struct TraceHeaders(Propagate);

impl Interceptor for TraceHeaders {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        for (name, value) in (self.0)() {
            if let (Ok(name), Ok(value)) = (
                AsciiMetadataKey::from_bytes(name.as_bytes()),
                AsciiMetadataValue::try_from(value),
            ) {
                request.metadata_mut().insert(name, value);
            }
        }
        Ok(request)
    }
}
