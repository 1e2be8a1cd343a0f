use std::sync::Arc;

use gateway_proto::v1;

use crate::container::{Container, Sandbox};

/// All that is on the node.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    sandboxes: Vec<Arc<Sandbox>>,
    containers: Vec<Arc<Container>>,
}

/// Why an id, or the beginning of one, leads to nothing. The texts are containerd's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Missing {
    #[error("not found")]
    NotFound,
    #[error("prefix can't be empty")]
    Empty,
    #[error("multiple IDs found with provided prefix: {0}")]
    Ambiguous(String),
}

trait Identified {
    fn id(&self) -> &str;
}

impl Registry {
    pub(crate) fn add_sandbox(&mut self, sandbox: Arc<Sandbox>) {
        self.sandboxes.push(sandbox);
    }

    pub(crate) fn add_container(&mut self, container: Arc<Container>) {
        self.containers.push(container);
    }

    /// The sandbox with this id, or the only one whose id begins so.
    pub(crate) fn sandbox(&self, id: &str) -> Result<Arc<Sandbox>, Missing> {
        by_prefix(&self.sandboxes, id)
    }

    /// The container with this id, or the only one whose id begins so.
    pub(crate) fn container(&self, id: &str) -> Result<Arc<Container>, Missing> {
        by_prefix(&self.containers, id)
    }

    /// All containers, the oldest first.
    pub(crate) fn containers(&self) -> &[Arc<Container>] {
        &self.containers
    }

    /// The containers of one sandbox, the oldest first.
    pub(crate) fn containers_of<'a>(
        &'a self,
        sandbox: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Container>> {
        self.containers
            .iter()
            .filter(move |container| container.sandbox.id == sandbox)
    }

    /// Forgets a sandbox and its containers.
    pub(crate) fn remove(&mut self, sandbox: &str) -> Vec<Arc<Container>> {
        self.sandboxes.retain(|other| other.id != sandbox);
        let (gone, kept) = self
            .containers
            .drain(..)
            .partition(|container| container.sandbox.id == sandbox);
        self.containers = kept;
        gone
    }

    /// The sandboxes that match every given part of a filter.
    pub(crate) fn list_sandboxes(&self, filter: &v1::PodSandboxFilter) -> Vec<v1::PodSandbox> {
        self.sandboxes
            .iter()
            .filter(|sandbox| is_meant(&self.sandboxes, &filter.id, &sandbox.id))
            .map(|sandbox| sandbox.listed())
            .filter(|found| {
                filter
                    .state
                    .as_ref()
                    .is_none_or(|state| state.state == found.state)
            })
            .filter(|found| {
                filter
                    .label_selector
                    .iter()
                    .all(|(key, value)| found.labels.get(key) == Some(value))
            })
            .collect()
    }

    /// The containers that match every given part of a filter.
    pub(crate) fn list_containers(&self, filter: &v1::ContainerFilter) -> Vec<v1::Container> {
        self.containers
            .iter()
            .filter(|container| is_meant(&self.containers, &filter.id, &container.id))
            .filter(|container| {
                is_meant(
                    &self.sandboxes,
                    &filter.pod_sandbox_id,
                    &container.sandbox.id,
                )
            })
            .map(|container| container.listed())
            .filter(|found| {
                filter
                    .state
                    .as_ref()
                    .is_none_or(|state| state.state == found.state)
            })
            .filter(|found| {
                filter
                    .label_selector
                    .iter()
                    .all(|(key, value)| found.labels.get(key) == Some(value))
            })
            .collect()
    }
}

impl Identified for Sandbox {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Identified for Container {
    fn id(&self) -> &str {
        &self.id
    }
}

fn by_prefix<T: Identified>(all: &[Arc<T>], id: &str) -> Result<Arc<T>, Missing> {
    if id.is_empty() {
        return Err(Missing::Empty);
    }
    let mut found = all.iter().filter(|one| one.id().starts_with(id));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(Arc::clone(only)),
        (None, _) => Err(Missing::NotFound),
        (Some(_), Some(_)) => Err(Missing::Ambiguous(id.to_owned())),
    }
}

/// Whether the id of a filter, where it is given, means `id`. A filter takes prefixes too.
fn is_meant<T: Identified>(all: &[Arc<T>], wanted: &str, id: &str) -> bool {
    wanted.is_empty() || by_prefix(all, wanted).is_ok_and(|one| one.id() == id)
}
