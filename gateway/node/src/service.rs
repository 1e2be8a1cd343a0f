//! Answers the calls of `runtime.v1.RuntimeService`.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use gateway_proto::v1;
use gateway_proto::v1::runtime_service_server::RuntimeService;
use tonic::{Request, Response, Status};

use crate::activity::Method;
use crate::behaviour::{Behaviour, Moment};
use crate::checkpoint::Checkpoint;
use crate::connection::Abort;
use crate::container::Container;
use crate::document;
use crate::registry::Missing;
use crate::shared::Shared;

/// Version of the kubelet's runtime API, as containerd reports it.
const KUBELET_API: &str = "0.1.0";
/// Version of CRI.
const RUNTIME_API: &str = "v1";

/// The node's runtime service.
pub(crate) struct Service(pub(crate) Arc<Shared>);

impl Service {
    /// Runs one call: counts it, applies the faults, and ends it with the node.
    async fn call<T>(
        &self,
        method: Method,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<Response<T>, Status> {
        let call = self.0.counter.start(method);
        let behaviour = self.behaviour();
        let answer = tokio::select! {
            answer = async {
                behaviour.reach(Moment::Call(method)).await?;
                work.await
            } => answer,
            () = self.0.tasks.stop.cancelled() => Err(Status::unavailable("the runtime is shutting down")),
        };
        call.answered();
        answer.map(Response::new)
    }

    fn behaviour(&self) -> Behaviour {
        self.0.behaviour.lock().clone()
    }

    fn container(
        &self,
        id: &str,
        failed: impl FnOnce(&Missing) -> String,
    ) -> Result<Arc<Container>, Status> {
        self.0
            .registry
            .lock()
            .container(id)
            .map_err(|missing| status(&missing, failed(&missing)))
    }
}

#[tonic::async_trait]
impl RuntimeService for Service {
    async fn version(
        &self,
        _: Request<v1::VersionRequest>,
    ) -> Result<Response<v1::VersionResponse>, Status> {
        self.call(Method::Version, async {
            Ok(v1::VersionResponse {
                version: KUBELET_API.to_owned(),
                runtime_name: self.0.author.runtime.clone(),
                runtime_version: self.0.author.version.clone(),
                runtime_api_version: RUNTIME_API.to_owned(),
            })
        })
        .await
    }

    async fn status(
        &self,
        _: Request<v1::StatusRequest>,
    ) -> Result<Response<v1::StatusResponse>, Status> {
        let ready = |name: &str| v1::RuntimeCondition {
            r#type: name.to_owned(),
            status: true,
            ..v1::RuntimeCondition::default()
        };
        self.call(Method::Status, async {
            Ok(v1::StatusResponse {
                status: Some(v1::RuntimeStatus {
                    conditions: vec![ready("RuntimeReady"), ready("NetworkReady")],
                }),
                ..v1::StatusResponse::default()
            })
        })
        .await
    }

    async fn list_pod_sandbox(
        &self,
        request: Request<v1::ListPodSandboxRequest>,
    ) -> Result<Response<v1::ListPodSandboxResponse>, Status> {
        let filter = request.into_inner().filter.unwrap_or_default();
        self.call(Method::ListPodSandbox, async {
            let items = self.0.registry.lock().list_sandboxes(&filter);
            Ok(v1::ListPodSandboxResponse { items })
        })
        .await
    }

    async fn pod_sandbox_status(
        &self,
        request: Request<v1::PodSandboxStatusRequest>,
    ) -> Result<Response<v1::PodSandboxStatusResponse>, Status> {
        let id = request.into_inner().pod_sandbox_id;
        self.call(Method::PodSandboxStatus, async {
            let sandbox = self.0.registry.lock().sandbox(&id).map_err(|missing| {
                status(
                    &missing,
                    format!("an error occurred when try to find sandbox: {missing}"),
                )
            })?;
            Ok(v1::PodSandboxStatusResponse {
                status: Some(sandbox.status()),
                ..v1::PodSandboxStatusResponse::default()
            })
        })
        .await
    }

    async fn list_containers(
        &self,
        request: Request<v1::ListContainersRequest>,
    ) -> Result<Response<v1::ListContainersResponse>, Status> {
        let filter = request.into_inner().filter.unwrap_or_default();
        self.call(Method::ListContainers, async {
            let containers = self.0.registry.lock().list_containers(&filter);
            Ok(v1::ListContainersResponse { containers })
        })
        .await
    }

    async fn container_status(
        &self,
        request: Request<v1::ContainerStatusRequest>,
    ) -> Result<Response<v1::ContainerStatusResponse>, Status> {
        let request = request.into_inner();
        self.call(Method::ContainerStatus, async {
            let container = self.container(&request.container_id, |missing| {
                format!(
                    "an error occurred when try to find container {:?}: {missing}",
                    request.container_id
                )
            })?;
            let info = request
                .verbose
                .then(|| document::info(&container, &self.0.author).to_string());
            Ok(v1::ContainerStatusResponse {
                status: Some(container.status()),
                info: info
                    .into_iter()
                    .map(|info| ("info".to_owned(), info))
                    .collect(),
            })
        })
        .await
    }

    async fn container_stats(
        &self,
        request: Request<v1::ContainerStatsRequest>,
    ) -> Result<Response<v1::ContainerStatsResponse>, Status> {
        let id = request.into_inner().container_id;
        self.call(Method::ContainerStats, async {
            let container = self.container(&id, |missing| {
                format!("failed to find container: {missing}")
            })?;
            Ok(v1::ContainerStatsResponse {
                stats: Some(container.stats()),
            })
        })
        .await
    }

    async fn checkpoint_container(
        &self,
        request: Request<v1::CheckpointContainerRequest>,
    ) -> Result<Response<v1::CheckpointContainerResponse>, Status> {
        *self.0.metadata.lock() = Some(request.metadata().clone());
        let abort = request.extensions().get::<Abort>().cloned();
        let request = request.into_inner();
        let behaviour = self.behaviour();
        self.call(Method::CheckpointContainer, async {
            let id = &request.container_id;
            let container = self.container(id, |missing| {
                format!(
                    "an error occurred when trying to find container the container status {id:?}: an error occurred \
                     when try to find container {id:?}: {missing}"
                )
            })?;
            let checkpoint = Checkpoint {
                container,
                location: PathBuf::from(&request.location),
                behaviour,
                author: self.0.author.clone(),
                abort,
                tasks: self.0.tasks.clone(),
            };
            checkpoint.run().await?;
            Ok(v1::CheckpointContainerResponse {})
        })
        .await
    }

    async fn checkpoint_pod(
        &self,
        _: Request<v1::CheckpointPodRequest>,
    ) -> Result<Response<v1::CheckpointPodResponse>, Status> {
        self.call(Method::CheckpointPod, async {
            Err(Status::unimplemented(
                "unknown method CheckpointPod for service runtime.v1.RuntimeService",
            ))
        })
        .await
    }
}

/// The status for an id that was not resolved. Like containerd, only `NOT_FOUND` has a code of its own.
fn status(missing: &Missing, text: String) -> Status {
    match missing {
        Missing::NotFound => Status::not_found(text),
        Missing::Empty | Missing::Ambiguous(_) => Status::unknown(text),
    }
}
