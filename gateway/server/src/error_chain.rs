//! An error together with its causes, as one line of text.

/// `error` and its sources, joined by colons, for a log line or a health check.
pub(crate) fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    gateway_core::one_line(&text, 2048)
}
