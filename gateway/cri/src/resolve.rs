//! Resolves a name to one running container.

use std::collections::{BTreeMap, HashMap};

use gateway_core::{Container, Target};
use gateway_proto::v1::{
    Container as Listed, ContainerFilter, ContainerState, ContainerStatsRequest,
    ListContainersRequest, ListPodSandboxRequest, MemoryUsage, PodSandbox, PodSandboxFilter,
};

use crate::error::Error;
use crate::runtime::Runtime;

// The labels that the kubelet sets on pods and containers.
const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
const POD_NAME: &str = "io.kubernetes.pod.name";
const POD_UID: &str = "io.kubernetes.pod.uid";
const CONTAINER_NAME: &str = "io.kubernetes.container.name";

/// The longest id in a runtime's answer, in bytes. Today's ids are 64 hex digits.
const ID_MAX: usize = 128;

impl Runtime {
    /// The one running container with the name `target`, with its properties and those of its pod. Init and ephemeral
    /// containers are included.
    ///
    /// # Errors
    /// [`Error::NoPod`], [`Error::NoContainer`], [`Error::NotRunning`] and [`Error::Ambiguous`] if there is not exactly one;
    /// [`Error::BadAnswer`] and [`Error::LookUp`] if the runtime's answers are missing or not valid.
    pub async fn resolve(&self, target: &Target) -> Result<Container, Error> {
        let named = self.list_named(target).await?;
        let mut running = named
            .iter()
            .filter(|container| container.state() == ContainerState::ContainerRunning);
        match (running.next(), running.count()) {
            (Some(container), 0) => self.describe(target, container).await,
            (Some(_), others) => Err(Error::Ambiguous {
                target: target.clone(),
                count: others.saturating_add(1),
            }),
            (None, _) if !named.is_empty() => Err(Error::NotRunning {
                target: target.clone(),
            }),
            (None, _) => Err(self.missing(target).await?),
        }
    }

    async fn list_named(&self, target: &Target) -> Result<Vec<Listed>, Error> {
        let mut wanted = pod_labels(target);
        wanted.insert(CONTAINER_NAME.to_owned(), target.container().to_owned());
        let filter = ContainerFilter {
            label_selector: wanted.clone(),
            ..ContainerFilter::default()
        };
        let request = ListContainersRequest {
            filter: Some(filter),
        };
        let mut client = self.client();
        let answer = self
            .look_up("ListContainers", client.list_containers(request))
            .await?;
        // A runtime that ignores the selector must not make us checkpoint another container.
        Ok(answer
            .containers
            .into_iter()
            .filter(|listed| has_labels(&listed.labels, &wanted))
            .collect())
    }

    /// The error for a container that was not found.
    async fn missing(&self, target: &Target) -> Result<Error, Error> {
        let filter = PodSandboxFilter {
            label_selector: pod_labels(target),
            ..PodSandboxFilter::default()
        };
        let pods = self.list_pods(filter).await?;
        let exists = pods
            .iter()
            .any(|pod| has_labels(&pod.labels, &pod_labels(target)));
        let container = target.container().to_owned();
        Ok(if exists {
            Error::NoContainer { container }
        } else {
            Error::NoPod
        })
    }

    async fn list_pods(&self, filter: PodSandboxFilter) -> Result<Vec<PodSandbox>, Error> {
        let mut client = self.client();
        let request = ListPodSandboxRequest {
            filter: Some(filter),
        };
        Ok(self
            .look_up("ListPodSandbox", client.list_pod_sandbox(request))
            .await?
            .items)
    }

    async fn describe(&self, target: &Target, listed: &Listed) -> Result<Container, Error> {
        let id = full_id("ListContainers", &listed.id)?;
        let sandbox_id = full_id("ListContainers", &listed.pod_sandbox_id)?;
        let filter = PodSandboxFilter {
            id: sandbox_id.clone(),
            ..PodSandboxFilter::default()
        };
        let pods = self.list_pods(filter).await?;
        let pod = pods
            .into_iter()
            .find(|pod| pod.id == sandbox_id && has_labels(&pod.labels, &pod_labels(target)));
        let pod = pod.ok_or(Error::BadAnswer {
            method: "ListPodSandbox",
            why: "it does not contain the container's pod",
        })?;
        let image = listed.image.clone().unwrap_or_default();
        let memory_bytes = self.memory(&id).await;
        Ok(Container {
            target: target.clone(),
            id,
            sandbox_id,
            pod_uid: pod.labels.get(POD_UID).cloned().unwrap_or_default(),
            image: if image.user_specified_image.is_empty() {
                image.image
            } else {
                image.user_specified_image
            },
            labels: sorted(listed.labels.clone()),
            annotations: sorted(listed.annotations.clone()),
            pod_labels: sorted(pod.labels),
            pod_annotations: sorted(pod.annotations),
            memory_bytes,
        })
    }

    /// The container's memory, in bytes. It is only an estimate, so a failure does not prevent a checkpoint.
    async fn memory(&self, container_id: &str) -> Option<u64> {
        let mut client = self.client();
        let request = ContainerStatsRequest {
            container_id: container_id.to_owned(),
        };
        let answer = self
            .look_up("ContainerStats", client.container_stats(request))
            .await
            .ok()?;
        let MemoryUsage {
            working_set_bytes,
            usage_bytes,
            rss_bytes,
            ..
        } = answer.stats?.memory?;
        [working_set_bytes, usage_bytes, rss_bytes]
            .into_iter()
            .flatten()
            .map(|bytes| bytes.value)
            .max()
    }
}

fn pod_labels(target: &Target) -> HashMap<String, String> {
    HashMap::from([
        (POD_NAMESPACE.to_owned(), target.namespace().to_owned()),
        (POD_NAME.to_owned(), target.pod().to_owned()),
    ])
}

fn has_labels(labels: &HashMap<String, String>, wanted: &HashMap<String, String>) -> bool {
    wanted
        .iter()
        .all(|(name, value)| labels.get(name) == Some(value))
}

fn full_id(method: &'static str, id: &str) -> Result<String, Error> {
    let fits =
        (1..=ID_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits {
        Ok(id.to_owned())
    } else {
        Err(Error::BadAnswer {
            method,
            why: "it contains an id that is not valid",
        })
    }
}

fn sorted(map: HashMap<String, String>) -> BTreeMap<String, String> {
    map.into_iter().collect()
}
