//! Hands out permits to checkpoint: one at a time for a container, a bounded number for the node.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::error::Error;

/// Bounds for checkpoints that run and wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Limits {
    /// Checkpoints that run at once on this node.
    pub running: usize,
    /// Checkpoints that wait on this node.
    pub waiting: usize,
    /// Checkpoints of one container that wait.
    pub waiting_per_container: usize,
}

/// The front place in the queue: no other one for the container exists, and the node runs fewer checkpoints than its limit.
/// The next waiting checkpoint starts when the last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct QueuePermit(Arc<Held>);

#[derive(Debug)]
struct Held {
    container_id: String,
    // Released in this order: the container first, so that its next checkpoint already waits for the node.
    _container: OwnedSemaphorePermit,
    _container_slot: OwnedSemaphorePermit,
    _node: OwnedSemaphorePermit,
    _node_slot: OwnedSemaphorePermit,
    _queue: Arc<ContainerQueue>,
}

impl QueuePermit {
    /// The full id of the container that may be checkpointed.
    pub(crate) fn container_id(&self) -> &str {
        &self.0.container_id
    }
}

/// Orders checkpoints. Two of one container at once both fail in containerd, so they run one after the other.
#[derive(Debug)]
pub(crate) struct Queue {
    limits: Limits,
    running: Arc<Semaphore>,
    slots: Arc<Semaphore>,
    containers: Mutex<HashMap<String, Weak<ContainerQueue>>>,
}

/// The checkpoints of one container. It is dropped when none runs or waits.
#[derive(Debug)]
struct ContainerQueue {
    running: Arc<Semaphore>,
    slots: Arc<Semaphore>,
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        let slots = limits.running.saturating_add(limits.waiting);
        Self {
            limits,
            running: Arc::new(Semaphore::new(limits.running)),
            slots: Arc::new(Semaphore::new(slots)),
            containers: Mutex::default(),
        }
    }

    /// Waits until the container may be checkpointed. Fails at once if too many checkpoints wait already.
    pub(crate) async fn permit(&self, container_id: &str) -> Result<QueuePermit, Error> {
        let node_slot = slot(&self.slots, "on this node")?;
        let queue = self.container(container_id);
        let container_slot = slot(&queue.slots, "of this container")?;
        // The container before the node: a checkpoint that waits for a busy container must not hold one of the node's permits.
        let container = acquire(&queue.running).await?;
        let node = acquire(&self.running).await?;
        Ok(QueuePermit(Arc::new(Held {
            container_id: container_id.to_owned(),
            _container: container,
            _container_slot: container_slot,
            _node: node,
            _node_slot: node_slot,
            _queue: queue,
        })))
    }

    fn container(&self, container_id: &str) -> Arc<ContainerQueue> {
        let mut containers = self.containers.lock();
        if let Some(queue) = containers.get(container_id).and_then(Weak::upgrade) {
            return queue;
        }
        containers.retain(|_, queue| queue.strong_count() > 0);
        let slots = self.limits.waiting_per_container.saturating_add(1);
        let queue = Arc::new(ContainerQueue {
            running: Arc::new(Semaphore::new(1)),
            slots: Arc::new(Semaphore::new(slots)),
        });
        containers.insert(container_id.to_owned(), Arc::downgrade(&queue));
        queue
    }
}

/// Takes a slot to run or wait in, or fails with [`Error::Busy`].
fn slot(slots: &Arc<Semaphore>, scope: &'static str) -> Result<OwnedSemaphorePermit, Error> {
    Arc::clone(slots)
        .try_acquire_owned()
        .map_err(|error| match error {
            TryAcquireError::NoPermits | TryAcquireError::Closed => Error::Busy { scope },
        })
}

async fn acquire(running: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
    let scope = "on this node";
    let permit = Arc::clone(running).acquire_owned().await;
    permit.map_err(|_| Error::Busy { scope }) // Unreachable: these semaphores are never closed.
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    const LIMITS: Limits = Limits {
        running: 2,
        waiting: 2,
        waiting_per_container: 1,
    };

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn serializes_one_container_without_delaying_others() {
        let queue = Queue::new(LIMITS);
        let first = queue.permit("a").await.unwrap();
        let mut second = pin!(queue.permit("a"));
        assert!(poll(second.as_mut()).is_pending());
        let other = queue.permit("b").await.unwrap();
        assert_eq!(other.container_id(), "b");
        drop(first);
        assert!(matches!(poll(second.as_mut()), Poll::Ready(Ok(_))));
    }

    #[tokio::test]
    async fn refuses_at_once_when_a_container_has_too_many_waiting() {
        let queue = Queue::new(LIMITS);
        let _running = queue.permit("a").await.unwrap();
        let mut waiting = pin!(queue.permit("a"));
        assert!(poll(waiting.as_mut()).is_pending());
        assert_eq!(
            queue.permit("a").await.unwrap_err(),
            Error::Busy {
                scope: "of this container"
            }
        );
    }

    #[tokio::test]
    async fn refuses_at_once_when_the_node_has_too_many_waiting() {
        let queue = Queue::new(LIMITS);
        let _a = queue.permit("a").await.unwrap();
        let _b = queue.permit("b").await.unwrap();
        let (mut c, mut d) = (pin!(queue.permit("c")), pin!(queue.permit("d")));
        assert!(poll(c.as_mut()).is_pending() && poll(d.as_mut()).is_pending());
        assert_eq!(
            queue.permit("e").await.unwrap_err(),
            Error::Busy {
                scope: "on this node"
            }
        );
    }

    #[tokio::test]
    async fn frees_the_slot_and_queue_of_a_dropped_wait() {
        let queue = Queue::new(LIMITS);
        for round in 0..100 {
            let running = queue.permit(&format!("c{round}")).await.unwrap();
            let id = format!("c{round}");
            let mut waiting = Box::pin(queue.permit(&id));
            assert!(poll(waiting.as_mut()).is_pending());
            drop((waiting, running));
        }
        let last = queue.permit("last").await.unwrap();
        assert_eq!(queue.containers.lock().len(), 1);
        drop(last);
    }
}
