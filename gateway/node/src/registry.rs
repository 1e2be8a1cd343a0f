//! Looks up and lists the sandboxes and containers of a node.

use std::sync::Arc;

use gateway_proto::v1;

use crate::container::{Container, Sandbox};

/// The sandboxes and containers on the node.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    sandboxes: Vec<Arc<Sandbox>>,
    containers: Vec<Arc<Container>>,
}

/// The reason why an id or a prefix of one was not resolved. The texts are containerd's.
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

    /// The sandbox with this id, or the only one whose id starts with it.
    pub(crate) fn sandbox(&self, id: &str) -> Result<Arc<Sandbox>, Missing> {
        by_prefix(&self.sandboxes, id)
    }

    /// The container with this id, or the only one whose id starts with it.
    pub(crate) fn container(&self, id: &str) -> Result<Arc<Container>, Missing> {
        by_prefix(&self.containers, id)
    }

    /// All containers, oldest first.
    pub(crate) fn containers(&self) -> &[Arc<Container>] {
        &self.containers
    }

    /// The containers of one sandbox, oldest first.
    pub(crate) fn containers_of<'a>(
        &'a self,
        sandbox: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Container>> {
        self.containers
            .iter()
            .filter(move |container| container.sandbox.id == sandbox)
    }

    /// Removes a sandbox and returns its containers.
    pub(crate) fn remove(&mut self, sandbox: &str) -> Vec<Arc<Container>> {
        self.sandboxes.retain(|other| other.id != sandbox);
        let (removed, kept) = self
            .containers
            .drain(..)
            .partition(|container| container.sandbox.id == sandbox);
        self.containers = kept;
        removed
    }

    /// The sandboxes that match every part of a filter.
    pub(crate) fn list_sandboxes(&self, filter: &v1::PodSandboxFilter) -> Vec<v1::PodSandbox> {
        self.sandboxes
            .iter()
            .filter(|sandbox| matches_id(&self.sandboxes, &filter.id, &sandbox.id))
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

    /// The containers that match every part of a filter.
    pub(crate) fn list_containers(&self, filter: &v1::ContainerFilter) -> Vec<v1::Container> {
        self.containers
            .iter()
            .filter(|container| matches_id(&self.containers, &filter.id, &container.id))
            .filter(|container| {
                matches_id(
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

/// Whether the id of a filter is empty or matches `id`. Filters may contain prefixes.
fn matches_id<T: Identified>(all: &[Arc<T>], wanted: &str, id: &str) -> bool {
    wanted.is_empty() || by_prefix(all, wanted).is_ok_and(|one| one.id() == id)
}
