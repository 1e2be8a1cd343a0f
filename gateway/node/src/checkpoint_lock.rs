//! Detects concurrent checkpoints of one container. In containerd both of them fail.

use std::sync::Arc;

use parking_lot::Mutex;

/// Held by the checkpoint of a container that is in progress.
#[derive(Debug, Default)]
pub(crate) struct CheckpointLock(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    held: bool,
    disturbed: bool,
}

/// The checkpoint of a container that is in progress. Dropping it releases the lock.
#[derive(Debug)]
pub(crate) struct CheckpointGuard(Arc<CheckpointLock>);

impl CheckpointLock {
    /// `None` while another checkpoint is in progress, which then fails too.
    pub(crate) fn try_acquire(self: &Arc<Self>) -> Option<CheckpointGuard> {
        let mut state = self.0.lock();
        if state.held {
            state.disturbed = true;
            return None;
        }
        *state = State {
            held: true,
            disturbed: false,
        };
        Some(CheckpointGuard(Arc::clone(self)))
    }
}

impl CheckpointGuard {
    /// Whether another checkpoint was attempted in the meantime.
    pub(crate) fn is_disturbed(&self) -> bool {
        self.0.0.lock().disturbed
    }
}

impl Drop for CheckpointGuard {
    fn drop(&mut self) {
        self.0.0.lock().held = false;
    }
}
