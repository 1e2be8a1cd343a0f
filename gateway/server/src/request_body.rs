//! Reads and discards the bodies of requests: no call needs one.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};

use crate::Error;

/// The longest body that is read, in bytes.
const READ_MAX: usize = 1 << 20;

/// Bounds for the body of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    /// The longest body that is accepted, in bytes.
    pub(crate) bytes: usize,
    /// The longest time that a body may take to arrive.
    pub(crate) time: Duration,
}

/// Reads `body` to its end and throws it away.
///
/// # Errors
/// [`Error::BodyTooLarge`] where it is longer than allowed, [`Error::BodyLost`] where it is late or incomplete.
pub(crate) async fn discard(body: Incoming, limits: BodyLimits) -> Result<(), Error> {
    if body.is_end_stream() {
        return Ok(());
    }
    match tokio::time::timeout(limits.time, length(body)).await {
        Ok(Some(length)) if length <= limits.bytes => Ok(()),
        Ok(Some(_)) => Err(Error::BodyTooLarge),
        Ok(None) | Err(_) => Err(Error::BodyLost),
    }
}

/// The length of `body` in bytes; `None` where it breaks off. A body that is too long is read beyond the allowed length, but
/// not to its end: a caller who is still writing when the connection closes would not see the answer.
async fn length(mut body: Incoming) -> Option<usize> {
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        length = length.saturating_add(frame.ok()?.data_ref().map_or(0, bytes::Bytes::len));
        if length > READ_MAX {
            break;
        }
    }
    Some(length)
}
