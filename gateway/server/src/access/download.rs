//! Downloads: the archive, or a part of it, is sent by a task of its own after the answer's head.

use std::fs::File;
use std::io::SeekFrom;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::{Action, Checkpoint, Outcome};
use http::Response;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::mpsc::{self, Sender};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use super::Access;
use super::body::FileBody;
use super::parcel::Parcel;
use super::permit::AccessPermit;
use crate::Error;
use crate::reply::Body;
use crate::request_slots::RequestSlot;

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;
/// Chunks that may wait for a connection.
const WAITING: usize = 2;

/// The means to send a file after the answer's head.
pub(crate) struct Sending {
    /// Counts the downloads, so that a stop waits for them.
    pub(crate) tasks: TaskTracker,
    /// The slot of the request, held until the last byte is sent.
    pub(crate) slot: RequestSlot,
    /// The longest time that a caller may take for one chunk.
    pub(crate) patience: Duration,
}

impl Access {
    /// Answers with the archive, or a part of it. The intent is on record before the first byte is sent.
    pub(super) async fn download(
        &self,
        permit: AccessPermit,
        sending: &Sending,
    ) -> Result<Response<Body>, Error> {
        let original = permit.action() == Action::DownloadOriginal;
        let (checkpoint, file) = self.open(&permit, original).await?;
        let parcel = Parcel::of(&checkpoint, file, original)?;
        let (head, part) = parcel.head(permit.call().headers());
        let status = head.status().as_u16();
        let Some(part) = part else {
            self.write_outcome(&permit, permit.outcome(Ok(status)))
                .await?;
            return Ok(head);
        };
        self.write_intent(&permit).await?;
        let (chunks, receiver) = mpsc::channel(WAITING);
        let body = FileBody {
            chunks: receiver,
            left: part.end - part.start,
        };
        // From here on the task records the outcome: it is known when the last byte is taken, or the caller is gone.
        permit.call().context().set_outcome_recorded();
        let download = Download {
            access: self.clone(),
            permit,
            parcel,
            status,
            part,
            chunks,
            patience: sending.patience,
            _slot: sending.slot.clone(),
        };
        let send = download.run().instrument(Span::current());
        drop(sending.tasks.spawn(send));
        Ok(head.map(|_| body.boxed_unsync()))
    }

    async fn open(
        &self,
        permit: &AccessPermit,
        original: bool,
    ) -> Result<(Checkpoint, File), Error> {
        let (store, id) = (self.store.clone(), permit.id());
        let opened = tokio::task::spawn_blocking(move || {
            if original {
                store.open_original(id)
            } else {
                store.open_archive(id)
            }
        });
        let opened = opened.await.map_err(|_| Error::Internal)??;
        opened.ok_or(if original {
            Error::NoOriginal
        } else {
            Error::NoCheckpoint
        })
    }
}

/// One download that is being sent.
struct Download {
    access: Access,
    permit: AccessPermit,
    parcel: Parcel,
    status: u16,
    part: Range<u64>,
    chunks: Sender<Bytes>,
    patience: Duration,
    _slot: RequestSlot,
}

impl Download {
    /// Sends the part, and writes the outcome to the audit log.
    async fn run(self) {
        let mut sent = 0;
        let whole = tokio::select! {
            whole = send(self.parcel.file, self.part, &self.chunks, self.patience, &mut sent) => whole,
            () = self.access.abort.cancelled() => false,
        };
        drop(self.chunks);
        let outcome = Outcome {
            code: (!whole).then(|| "cut-short".to_owned()),
            sha256: Some(self.parcel.sha256),
            bytes: Some(sent),
            request: None,
            ..self.permit.outcome(Ok(self.status))
        };
        // A lost record is logged and counted there; the intent is on record.
        let _ = self.access.write_outcome(&self.permit, outcome).await;
    }
}

/// Sends the part and counts the bytes that were taken in `sent`. Returns whether that was all of it.
async fn send(
    file: File,
    part: Range<u64>,
    to: &Sender<Bytes>,
    patience: Duration,
    sent: &mut u64,
) -> bool {
    let mut file = tokio::fs::File::from_std(file);
    let length = part.end - part.start;
    if file.seek(SeekFrom::Start(part.start)).await.is_err() {
        return false;
    }
    while *sent < length {
        let wanted = usize::try_from(length - *sent).unwrap_or(CHUNK).min(CHUNK);
        let mut chunk = vec![0; wanted];
        if file.read_exact(&mut chunk).await.is_err() {
            return false;
        }
        let taken = tokio::time::timeout(patience, to.send(chunk.into())).await;
        if !matches!(taken, Ok(Ok(()))) {
            return false;
        }
        *sent = sent.saturating_add(wanted as u64);
    }
    true
}
