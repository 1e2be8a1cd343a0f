//! Log lines on standard error.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt;
use tracing_subscriber::registry::LookupSpan;

use crate::config::{LogFormat, LogLevel};

/// Log lines on standard error. Every line within a request carries its spans, and with them `request_id` and `trace_id`,
/// whatever the level.
pub(super) fn layer<S>(format: LogFormat, level: LogLevel) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let level = LevelFilter::from(level);
    let lines = filter_fn(move |line| {
        is_ours(line) && (line.is_span() || *line.level() <= level) || is_grave(line, level)
    });
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Json => layer
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .with_filter(lines)
            .boxed(),
        LogFormat::Text => layer
            .with_ansi(std::io::stderr().is_terminal())
            .with_filter(lines)
            .boxed(),
    }
}

/// Libraries print headers and frames at their lower levels, credentials among them: no level of ours lets those through.
fn is_grave(line: &Metadata<'_>, level: LevelFilter) -> bool {
    line.is_event() && *line.level() <= Level::WARN && *line.level() <= level
}

pub(super) fn is_ours(line: &Metadata<'_>) -> bool {
    line.target().starts_with("gateway_") || line.target().starts_with("checkpoint_gateway")
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}
