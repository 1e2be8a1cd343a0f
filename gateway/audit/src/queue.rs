//! Group commit: requests that arrive while the disk is busy share the next write.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::work::{MAX_WRITE, Work};
use crate::writer::Writer;

/// The longest time that a write waits for as many requests as shared the last one. Those were answered together and
/// return together. It is about the time of an fsync on a fast disk, which a request that comes too late waits for twice.
const GATHER_TIME: Duration = Duration::from_micros(250);

/// The share of the queue's bounds that a request holds, in requests and in bytes. It is held until the disk is done,
/// even if nobody waits for the result any more.
#[derive(Debug)]
pub(crate) struct Permits {
    _request: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

impl Permits {
    pub(crate) fn new(request: OwnedSemaphorePermit, bytes: OwnedSemaphorePermit) -> Self {
        Self {
            _request: request,
            _bytes: bytes,
        }
    }
}

/// The requests that wait for the disk, and the writer. The permits bound their number.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Request>,
    /// The number of requests that shared the last write.
    last_batch: usize,
    /// Absent while a task writes.
    writer: Option<Writer>,
}

#[derive(Debug)]
struct Request {
    work: Work,
    reply: Reply,
}

/// Reports the result of a request.
#[derive(Debug)]
struct Reply {
    result: oneshot::Sender<io::Result<()>>,
    _permits: Permits,
}

impl Queue {
    pub(crate) fn new(writer: Writer) -> Arc<Self> {
        let state = State {
            waiting: VecDeque::new(),
            last_batch: 0,
            writer: Some(writer),
        };
        Arc::new(Self {
            state: Mutex::new(state),
        })
    }

    /// Queues `work` for the next write. The result arrives once it is durable.
    pub(crate) fn push(
        self: &Arc<Self>,
        work: Work,
        permits: Permits,
    ) -> oneshot::Receiver<io::Result<()>> {
        let (sender, result) = oneshot::channel();
        let reply = Reply {
            result: sender,
            _permits: permits,
        };
        let mut state = self.state.lock();
        state.waiting.push_back(Request { work, reply });
        if let Some(writer) = state.writer.take() {
            let queue = Arc::clone(self);
            tokio::task::spawn_blocking(move || queue.write(writer));
        }
        result
    }

    /// Writes until no request waits.
    fn write(self: Arc<Self>, mut writer: Writer) {
        loop {
            self.gather();
            let requests = self.state.lock().next_batch();
            let (works, replies) = split(requests);
            let results = writer.append(&works);
            let mut state = self.state.lock();
            if state.waiting.is_empty() {
                state.writer = Some(writer);
                drop(state);
                // Before anybody gets a reply: whoever then drops the log has closed the file and may open it again.
                drop(self);
                return send(replies, results);
            }
            drop(state);
            send(replies, results);
        }
    }

    /// Waits for more requests if the last write was shared.
    fn gather(&self) {
        let began = Instant::now();
        let more_expected =
            |state: &State| state.last_batch > 1 && state.waiting.len() < state.last_batch;
        while more_expected(&self.state.lock()) && began.elapsed() < GATHER_TIME {
            std::thread::yield_now();
        }
    }
}

impl State {
    /// The requests that share the next write: all, up to [`MAX_WRITE`].
    fn next_batch(&mut self) -> Vec<Request> {
        let mut bytes = 0_usize;
        let mut fits = |request: &&Request| {
            let fits = bytes < MAX_WRITE;
            bytes = bytes.saturating_add(request.work.bytes());
            fits
        };
        let count = self
            .waiting
            .iter()
            .take_while(|request| fits(request))
            .count();
        self.last_batch = count;
        self.waiting.drain(..count).collect()
    }
}

fn split(requests: Vec<Request>) -> (Vec<Work>, Vec<Reply>) {
    requests
        .into_iter()
        .map(|request| (request.work, request.reply))
        .unzip()
}

fn send(replies: Vec<Reply>, results: Vec<io::Result<()>>) {
    for (reply, result) in replies.into_iter().zip(results) {
        // A caller whose wait timed out has gone.
        let _ = reply.result.send(result);
    }
}
