//! Group commit: whoever comes while the disk is busy waits for the next write, and shares it with all who wait.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_core::Record;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::tail::Tail;

/// Who waits for the disk.
#[derive(Debug)]
pub(crate) struct Waiter {
    /// What is to be written; nothing, where only the disk is asked.
    record: Option<Box<Record>>,
    done: oneshot::Sender<io::Result<()>>,
    /// Held for as long as the disk takes, not for as long as anybody waits for it.
    place: OwnedSemaphorePermit,
}

/// Those who wait, and the file. How many may wait, the places say.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: Vec<Waiter>,
    /// Absent while somebody writes.
    tail: Option<Tail>,
}

impl Queue {
    pub(crate) fn new(tail: Tail) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { waiting: Vec::new(), tail: Some(tail) }) })
    }

    /// Lets `record` be written with the next write. The result comes when that is durable.
    pub(crate) fn push(
        self: &Arc<Self>,
        record: Option<Record>,
        place: OwnedSemaphorePermit,
    ) -> oneshot::Receiver<io::Result<()>> {
        let (done, result) = oneshot::channel();
        let mut state = self.state();
        state.waiting.push(Waiter { record: record.map(Box::new), done, place });
        if let Some(tail) = state.tail.take() {
            let queue = Arc::clone(self);
            tokio::task::spawn_blocking(move || queue.write(tail));
        }
        result
    }

    /// Writes until nobody waits.
    fn write(self: Arc<Self>, mut tail: Tail) {
        loop {
            let waiters = std::mem::take(&mut self.state().waiting);
            let (records, dones) = split(waiters);
            let results = tail.append(&records);
            let mut state = self.state();
            if state.waiting.is_empty() {
                state.tail = Some(tail);
                drop(state);
                // Before anybody is told: whoever then drops the log has closed the file, and may open it again.
                drop(self);
                return tell(dones, results);
            }
            drop(state);
            tell(dones, results);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Done = (oneshot::Sender<io::Result<()>>, OwnedSemaphorePermit);

fn split(waiters: Vec<Waiter>) -> (Vec<Option<Box<Record>>>, Vec<Done>) {
    waiters.into_iter().map(|waiter| (waiter.record, (waiter.done, waiter.place))).unzip()
}

fn tell(dones: Vec<Done>, results: Vec<io::Result<()>>) {
    for ((done, _place), result) in dones.into_iter().zip(results) {
        // Who has lost patience is gone.
        let _ = done.send(result);
    }
}
