use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::Error;

/// How many checkpoints may run and wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Limits {
    /// Checkpoints that run at once on this node.
    pub running: usize,
    /// Checkpoints that wait on this node.
    pub waiting: usize,
    /// Checkpoints that wait for one container.
    pub waiting_per_container: usize,
}

/// The right to checkpoint one container now: nobody else holds one for it, and the node has room. When the last clone is
/// dropped, the next in line goes on.
#[derive(Debug, Clone)]
pub struct CheckpointPermit(Arc<Held>);

#[derive(Debug)]
struct Held {
    container_id: String,
    // In the order in which they are given back: the container first, so that its next in line is ready for the node.
    _container: OwnedSemaphorePermit,
    _container_place: OwnedSemaphorePermit,
    _node: OwnedSemaphorePermit,
    _node_place: OwnedSemaphorePermit,
    _lane: Arc<Lane>,
}

impl CheckpointPermit {
    /// The full id of the container that may be checkpointed.
    pub fn container_id(&self) -> &str {
        &self.0.container_id
    }
}

/// Two checkpoints of one container at once both fail in containerd, so they go one after the other.
#[derive(Debug)]
pub(crate) struct Queue {
    limits: Limits,
    running: Arc<Semaphore>,
    places: Arc<Semaphore>,
    lanes: Mutex<HashMap<String, Weak<Lane>>>,
}

/// One container's line. It lives for as long as somebody stands in it.
#[derive(Debug)]
struct Lane {
    running: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            running: Arc::new(Semaphore::new(limits.running)),
            places: Arc::new(Semaphore::new(
                limits.running.saturating_add(limits.waiting),
            )),
            lanes: Mutex::default(),
        }
    }

    /// Waits for the container's permit; fails at once where too many wait already.
    pub(crate) async fn permit(&self, container_id: &str) -> Result<CheckpointPermit, Error> {
        let node_place = place(&self.places, "on this node")?;
        let lane = self.lane(container_id);
        let container_place = place(&lane.places, "of this container")?;
        // The container before the node: whoever waits for a busy container must not keep the node from others.
        let container = acquire(&lane.running).await?;
        let node = acquire(&self.running).await?;
        Ok(CheckpointPermit(Arc::new(Held {
            container_id: container_id.to_owned(),
            _container: container,
            _container_place: container_place,
            _node: node,
            _node_place: node_place,
            _lane: lane,
        })))
    }

    fn lane(&self, container_id: &str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(container_id).and_then(Weak::upgrade) {
            return lane;
        }
        lanes.retain(|_, lane| lane.strong_count() > 0);
        let lane = Arc::new(Lane {
            running: Arc::new(Semaphore::new(1)),
            places: Arc::new(Semaphore::new(
                self.limits.waiting_per_container.saturating_add(1),
            )),
        });
        lanes.insert(container_id.to_owned(), Arc::downgrade(&lane));
        lane
    }
}

fn place(places: &Arc<Semaphore>, scope: &'static str) -> Result<OwnedSemaphorePermit, Error> {
    Arc::clone(places)
        .try_acquire_owned()
        .map_err(|error| match error {
            TryAcquireError::NoPermits | TryAcquireError::Closed => Error::Busy { scope },
        })
}

async fn acquire(running: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
    // These semaphores are never closed; if one were, no permit could be given.
    Arc::clone(running)
        .acquire_owned()
        .await
        .map_err(|_| Error::Busy {
            scope: "on this node",
        })
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
    async fn one_container_goes_one_at_a_time_and_others_do_not_wait_for_it() {
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
    async fn a_full_line_answers_at_once() {
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
    async fn a_full_node_answers_at_once() {
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
    async fn whoever_leaves_the_line_gives_their_place_back_and_no_line_stays_behind() {
        let queue = Queue::new(LIMITS);
        for round in 0..100 {
            let running = queue.permit(&format!("c{round}")).await.unwrap();
            let id = format!("c{round}");
            let mut waiting = Box::pin(queue.permit(&id));
            assert!(poll(waiting.as_mut()).is_pending());
            drop((waiting, running));
        }
        let last = queue.permit("last").await.unwrap();
        assert_eq!(queue.lanes.lock().unwrap().len(), 1);
        drop(last);
    }
}
