//! The messages between an intake and the thread that serves it.

use std::path::PathBuf;

use gateway_core::Checkpoint;
use gateway_redact::TextMasker;
use tokio::sync::oneshot;

use crate::fifo::WriterGuard;
use crate::{CheckpointInfo, Error};

/// The thread's first message: the runtime may write now.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) location: PathBuf,
    /// Dropped when the runtime has answered.
    pub(crate) guard: Option<WriterGuard>,
    /// That of the redaction, if there is one.
    pub(crate) texts: Option<TextMasker>,
}

/// Decides what happens to the received archive. Without an order it is discarded.
#[derive(Debug)]
pub(crate) enum Order {
    Publish(
        Box<CheckpointInfo>,
        oneshot::Sender<Result<Checkpoint, Error>>,
    ),
    /// Answered with the number of bytes that had come.
    Discard(oneshot::Sender<u64>),
}
