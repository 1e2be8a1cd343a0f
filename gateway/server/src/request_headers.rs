//! What a request brings along beside its path.

use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::Error;

/// The longest reason that a caller may give, in bytes.
pub(crate) const REASON_MAX: usize = 1024;

/// How much of a body is read only to be thrown away, in bytes.
const BODY_DISCARDED: usize = 1 << 20;

/// How many bytes come; `None` where they break off. What is much too long is not read to its end, but read further than
/// the bound, since a caller who is still writing when the connection closes would not see why.
pub(crate) async fn length(mut body: Incoming) -> Option<usize> {
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        length = length.saturating_add(frame.ok()?.data_ref().map_or(0, bytes::Bytes::len));
        if length > BODY_DISCARDED {
            break;
        }
    }
    Some(length)
}

/// Whether the caller says `Prefer: respond-async` (RFC 7240, section 4.1).
pub(crate) fn prefers_not_to_wait(headers: &HeaderMap) -> bool {
    let preferences = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok());
    preferences.flat_map(|value| value.split(',')).any(|one| {
        one.split(';')
            .next()
            .is_some_and(|name| name.trim().eq_ignore_ascii_case("respond-async"))
    })
}

/// Why, in the caller's words (`X-Checkpoint-Reason`).
pub(crate) fn reason(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let mut values = headers.get_all("x-checkpoint-reason").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|_| Error::BadReason)?
        .trim();
    let fits = (1..=REASON_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits && values.next().is_none() {
        Ok(Some(text.to_owned()))
    } else {
        Err(Error::BadReason)
    }
}
