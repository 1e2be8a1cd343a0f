use std::fs::File;
use std::io::SeekFrom;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use gateway_core::{Action, Checkpoint, Outcome};
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::mpsc::{self, Sender};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use super::body::FileBody;
use super::range::{self, Wanted};
use super::{Call, Permitted, intend};
use crate::Error;
use crate::handler::Place;
use crate::pipeline::Context;
use crate::reply::{self, Body};

/// RFC 9530.
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;
/// Chunks that may wait for a connection.
const WAITING: usize = 2;

/// Who carries out what goes on after the answer's head: counted, so that a stop waits for it, and in the request's place.
pub(crate) struct Sending {
    pub(crate) tasks: TaskTracker,
    pub(crate) place: Place,
    /// How long a caller may take for one chunk.
    pub(crate) patience: Duration,
}

/// The file that is to be sent, and what tells it apart.
struct Parcel {
    file: File,
    name: String,
    kind: &'static str,
    bytes: u64,
    sha256: String,
}

/// Answers with the archive, or a part of it. That it is about to be sent is on record before the first byte is.
pub(super) async fn answer(
    cx: &Context,
    call: Call,
    permitted: Permitted,
    sending: &Sending,
) -> Result<Response<Body>, Error> {
    let (store, id, original) = (
        cx.store.clone(),
        permitted.checkpoint.id,
        permitted.request.action == Action::DownloadOriginal,
    );
    let opened = tokio::task::spawn_blocking(move || {
        if original {
            store.open_original(id)
        } else {
            store.open_archive(id)
        }
    });
    let opened = opened.await.map_err(|_| Error::Internal)??;
    let missing = if original {
        Error::NoOriginal
    } else {
        Error::NoCheckpoint
    };
    let (checkpoint, file) = opened.ok_or(missing)?;
    let parcel = Parcel::of(&checkpoint, file, original)?;
    let (head, part) = parcel.head(&call.headers);
    let Some(part) = part else {
        call.subject
            .close(cx, call.ended(&permitted, Ok(head.status().as_u16())))
            .await?;
        return Ok(head);
    };
    intend(cx, &call, &permitted).await?;
    let (chunks, receiver) = mpsc::channel(WAITING);
    let body = FileBody {
        chunks: receiver,
        left: part.end - part.start,
    };
    // The outcome is known when the last byte is taken, or when none is any more.
    call.subject.recorded.store(true, Ordering::Relaxed);
    let place = Arc::clone(&sending.place);
    let (cx, status, patience, file) = (
        cx.clone(),
        head.status().as_u16(),
        sending.patience,
        parcel.file,
    );
    let send = async move {
        let _place = place;
        let mut sent = 0;
        let whole = tokio::select! {
            whole = send(file, part, &chunks, patience, &mut sent) => whole,
            () = cx.cut.cancelled() => false,
        };
        drop(chunks);
        let outcome = Outcome {
            code: (!whole).then(|| "cut-short".to_owned()),
            sha256: Some(parcel.sha256),
            bytes: Some(sent),
            request: None,
            ..call.ended(&permitted, Ok(status))
        };
        // It is counted and logged where it is lost; the intent tells that it was sent.
        let _ = call.subject.close(&cx, outcome).await;
    };
    drop(sending.tasks.spawn(send.instrument(Span::current())));
    Ok(head.map(|_| body.boxed_unsync()))
}

/// Sends the part, and counts the bytes that were taken. Whether that was all of it.
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

impl Parcel {
    fn of(checkpoint: &Checkpoint, file: File, original: bool) -> Result<Self, Error> {
        let name = |path: &std::path::Path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned)
                .ok_or(Error::Internal)
        };
        if !original {
            let (bytes, sha256) = (checkpoint.bytes, checkpoint.sha256.clone());
            return Ok(Self {
                file,
                name: name(&checkpoint.path)?,
                kind: "application/x-tar",
                bytes,
                sha256,
            });
        }
        let kept = checkpoint.original.as_ref().ok_or(Error::NoOriginal)?;
        let kind = if kept.sealed {
            "application/octet-stream"
        } else {
            "application/x-tar"
        };
        Ok(Self {
            file,
            name: name(&kept.path)?,
            kind,
            bytes: kept.bytes,
            sha256: kept.sha256.clone(),
        })
    }

    /// The answer without its body, and which part the body is; none where there is no body.
    fn head(&self, asked: &HeaderMap) -> (Response<Body>, Option<Range<u64>>) {
        let etag = format!("\"{}\"", self.sha256);
        let of = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
        let same = |list: &str| {
            list.split(',')
                .any(|tag| ["*", &etag].contains(&tag.trim().trim_start_matches("W/")))
        };
        if of(IF_NONE_MATCH).is_some_and(same) {
            return (self.marked(StatusCode::NOT_MODIFIED, &etag), None);
        }
        // A part of another file than the one that the caller has a part of would be worse than all of it.
        let range = of(RANGE).filter(|_| of(IF_RANGE).is_none_or(|tag| tag == etag));
        match range::of(range, self.bytes) {
            Wanted::Whole => (self.marked(StatusCode::OK, &etag), Some(0..self.bytes)),
            Wanted::Part(part) => {
                let mut head = self.marked(StatusCode::PARTIAL_CONTENT, &etag);
                let last = part.end.saturating_sub(1);
                insert(
                    &mut head,
                    CONTENT_RANGE,
                    &format!("bytes {}-{last}/{}", part.start, self.bytes),
                );
                (head, Some(part))
            }
            Wanted::Nowhere => {
                let mut head = self.marked(StatusCode::RANGE_NOT_SATISFIABLE, &etag);
                insert(&mut head, CONTENT_RANGE, &format!("bytes */{}", self.bytes));
                (head, None)
            }
        }
    }

    fn marked(&self, status: StatusCode, etag: &str) -> Response<Body> {
        let mut head = reply::empty(status);
        insert(&mut head, ETAG, etag);
        insert(&mut head, ACCEPT_RANGES, "bytes");
        if status.is_success() {
            insert(&mut head, CONTENT_TYPE, self.kind);
            insert(
                &mut head,
                CONTENT_DISPOSITION,
                &format!("attachment; filename=\"{}\"", self.name),
            );
            insert(
                &mut head,
                REPR_DIGEST,
                &format!("sha-256=:{}:", BASE64_STANDARD.encode(unhex(&self.sha256))),
            );
        }
        head
    }
}

fn insert(head: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        head.headers_mut().insert(name, value);
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        std::str::from_utf8(pair)
            .ok()
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    pairs.iter().filter_map(byte).collect()
}
