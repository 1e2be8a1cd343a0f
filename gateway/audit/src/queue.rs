//! Group commit: whoever comes while the disk is busy waits for the next write, and shares it with all who wait.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::log::Signing;
use crate::tail::{BATCH, Tail};

/// How long a write waits, at most, for as many as shared the last one: they were told together, and come back together. About
/// as long as the fsync of a fast disk takes, which whoever comes too late would have to wait for twice.
const LINGER: Duration = Duration::from_micros(250);

/// What who waits takes up, in number and in bytes. Held for as long as the disk takes, not for as long as anybody waits for it.
pub(crate) type Place = (OwnedSemaphorePermit, OwnedSemaphorePermit);

/// What is asked of the end of the log.
#[derive(Debug)]
pub(crate) enum Work {
    /// To add this record, as JSON.
    Record(Vec<u8>),
    /// To sign what no head covers yet.
    Seal,
    /// To have this sign from now on.
    Keys {
        /// With it, or not at all.
        signing: Option<Signing>,
        /// Set where that is another key.
        changed: Arc<AtomicBool>,
    },
    /// Whether it could.
    Probe,
}

impl Work {
    /// How much there is to write.
    pub(crate) fn bytes(&self) -> usize {
        if let Self::Record(body) = self {
            body.len()
        } else {
            0
        }
    }
}

/// Who waits for the disk.
#[derive(Debug)]
pub(crate) struct Waiter {
    work: Work,
    done: oneshot::Sender<io::Result<()>>,
    place: Place,
}

/// Those who wait, and the file. How many may wait, the places say.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Waiter>,
    /// How many shared the last write.
    shared: usize,
    /// Absent while somebody writes.
    tail: Option<Tail>,
}

impl Queue {
    pub(crate) fn new(tail: Tail) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                shared: 0,
                tail: Some(tail),
            }),
        })
    }

    /// Lets `work` be done with the next write. The result comes when that is durable.
    pub(crate) fn push(
        self: &Arc<Self>,
        work: Work,
        place: Place,
    ) -> oneshot::Receiver<io::Result<()>> {
        let (done, result) = oneshot::channel();
        let mut state = self.state();
        state.waiting.push_back(Waiter { work, done, place });
        if let Some(tail) = state.tail.take() {
            let queue = Arc::clone(self);
            tokio::task::spawn_blocking(move || queue.write(tail));
        }
        result
    }

    /// Writes until nobody waits.
    fn write(self: Arc<Self>, mut tail: Tail) {
        loop {
            self.gather();
            let waiters = self.state().batch();
            let (works, dones) = split(waiters);
            let results = tail.append(&works);
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

    /// Waits for company, if there was some last time.
    fn gather(&self) {
        let began = Instant::now();
        let alone = |state: &State| state.shared > 1 && state.waiting.len() < state.shared;
        while alone(&self.state()) && began.elapsed() < LINGER {
            std::thread::yield_now();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Those who share the next write: all, unless they have too much to write.
    fn batch(&mut self) -> Vec<Waiter> {
        let mut bytes = 0_usize;
        let mut fits = |waiter: &&Waiter| {
            let fits = bytes < BATCH;
            bytes = bytes.saturating_add(waiter.work.bytes());
            fits
        };
        let count = self
            .waiting
            .iter()
            .take_while(|waiter| fits(waiter))
            .count();
        self.shared = count;
        self.waiting.drain(..count).collect()
    }
}

type Done = (oneshot::Sender<io::Result<()>>, Place);

fn split(waiters: Vec<Waiter>) -> (Vec<Work>, Vec<Done>) {
    waiters
        .into_iter()
        .map(|waiter| (waiter.work, (waiter.done, waiter.place)))
        .unzip()
}

fn tell(dones: Vec<Done>, results: Vec<io::Result<()>>) {
    for ((done, _place), result) in dones.into_iter().zip(results) {
        // Who has lost patience is gone.
        let _ = done.send(result);
    }
}
