//! The handle of one archive that is being taken in.

use std::path::{Path, PathBuf};

use gateway_core::{Checkpoint, Transport};
use gateway_redact::TextMasker;
use tokio::sync::oneshot;

use crate::fifo::WriterGuard;
use crate::order::Order;
use crate::worker::{self, Job, Started};
use crate::{CheckpointInfo, Error, Steps};

/// An archive that a runtime may write now. Dropped, it is discarded in the background.
#[derive(Debug)]
#[must_use = "dropped, the archive is discarded"]
pub struct Intake {
    location: PathBuf,
    transport: Transport,
    texts: Option<TextMasker>,
    orders: oneshot::Sender<Order>,
    guard: Option<WriterGuard>,
    steps: Steps,
}

impl Intake {
    pub(crate) async fn open(job: Job) -> Result<Self, Error> {
        let (transport, steps) = (job.transport, job.steps.clone());
        let Started { ready, orders } = worker::start(job)?;
        let ready = ready.await.map_err(|_| Error::Worker)??;
        Ok(Self {
            location: ready.location,
            transport,
            texts: ready.texts,
            orders,
            guard: ready.guard,
            steps,
        })
    }

    /// The absolute path that the runtime is to write to.
    pub fn location(&self) -> &Path {
        &self.location
    }

    /// The kind of file at that path. The published metadata may name [`Transport::File`] nevertheless, if the runtime puts a
    /// file in the FIFO's place.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The times of the steps of this intake. All are there once it is published or discarded.
    pub fn steps(&self) -> Steps {
        self.steps.clone()
    }

    /// Masks what the redaction hides in texts about the container, and what it learns while the archive comes; `None` without
    /// a redaction.
    pub fn texts(&self) -> Option<TextMasker> {
        self.texts.clone()
    }

    /// To be called after the runtime reported success: waits for the rest, makes archive and metadata durable and then
    /// visible. On an error nothing is left. Once polled it continues even if this future is dropped.
    pub async fn publish(self, info: CheckpointInfo) -> Result<Checkpoint, Error> {
        let (reply, answer) = oneshot::channel();
        // Fails only if the thread is gone, which the answer then shows.
        let _ = self.orders.send(Order::Publish(Box::new(info), reply));
        drop(self.guard);
        answer.await.unwrap_or(Err(Error::Worker))
    }

    /// To be called after the runtime failed: waits, within bounds, for bytes that may still come, and removes everything.
    /// Returns how many bytes came: none may mean that the runtime refuses FIFOs.
    pub async fn discard(self) -> u64 {
        let (reply, answer) = oneshot::channel();
        // As above.
        let _ = self.orders.send(Order::Discard(reply));
        drop(self.guard);
        answer.await.unwrap_or_default()
    }
}
