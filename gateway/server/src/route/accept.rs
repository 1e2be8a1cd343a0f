//! The `Accept` header: whether a caller accepts an answer's media type.

use http::header::{ACCEPT, HeaderMap};

use crate::Error;

/// Checks that the caller accepts an answer of `media_type`.
///
/// # Errors
/// [`Error::NotAcceptable`] where they do not.
pub(super) fn accept(headers: &HeaderMap, media_type: &'static str) -> Result<(), Error> {
    if accepts(headers, media_type) {
        Ok(())
    } else {
        Err(Error::NotAcceptable(media_type))
    }
}

/// Whether the media ranges in `Accept` allow this media type (RFC 9110, section 12.5.1). The most specific range decides.
fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let mut best = None;
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let weight = match parts
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase()
                .as_str()
            {
                range if range == media_type => 3,
                "application/*" => 2,
                "*/*" => 1,
                _ => continue,
            };
            let refused = parts.any(|part| {
                part.strip_prefix("q=")
                    .or(part.strip_prefix("Q="))
                    .and_then(|q| q.parse::<f32>().ok())
                    == Some(0.0)
            });
            best = best.max(Some((weight, !refused)));
        }
    }
    !headers.contains_key(ACCEPT) || best.is_some_and(|(_, taken)| taken)
}
