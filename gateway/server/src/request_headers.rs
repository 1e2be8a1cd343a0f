//! The headers that the gateway reads: the reason, and the preference not to wait.

use http::HeaderMap;

use crate::Error;

/// The longest reason that a caller may give, in bytes.
pub(crate) const REASON_MAX: usize = 1024;

/// Whether the caller says `Prefer: respond-async` (RFC 7240, section 4.1).
pub(crate) fn prefers_async(headers: &HeaderMap) -> bool {
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

/// The caller's reason, from `X-Checkpoint-Reason`.
///
/// # Errors
/// [`Error::BadReason`] where the header is repeated, empty, too long or not printable UTF-8.
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
