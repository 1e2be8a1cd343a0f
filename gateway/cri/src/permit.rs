//! The permit to checkpoint one container.

use gateway_core::{Container, Target};

use crate::error::Error;
use crate::queue::{Queue, QueuePermit};

/// Permits one checkpoint of one container: no other permit for the container exists, and the node runs fewer checkpoints
/// than its limit. The next waiting checkpoint starts when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct CheckpointPermit {
    target: Target,
    queued: QueuePermit,
}

impl CheckpointPermit {
    /// Waits until `container` may be checkpointed.
    pub(crate) async fn wait(queue: &Queue, container: &Container) -> Result<Self, Error> {
        Ok(Self {
            target: container.target.clone(),
            queued: queue.permit(&container.id).await?,
        })
    }

    /// The name of the container that may be checkpointed.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The full id of the container that may be checkpointed.
    pub fn container_id(&self) -> &str {
        self.queued.container_id()
    }
}
