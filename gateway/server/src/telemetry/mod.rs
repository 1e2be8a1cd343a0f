//! Logs, traces and metrics. They are independent: a log level hides no span, and a receiver that is down costs nothing but the
//! spans and records that it does not get, which are counted.

mod audit;
mod counts;
mod exporter;
mod log;
mod metrics;
mod otlp;
mod panics;
mod trace;

pub use counts::{ExportCounts, Exports};
pub use metrics::{Metrics, RequestLabels};
pub use panics::hide_panic_messages;
pub use trace::{inject, parent_of, trace_id};

use std::sync::Arc;

use gateway_audit::Observer;
use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::logs::LogExporter as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanProcessor};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config;
use audit::{Intake, Sending};
use exporter::Bounded;
use otlp::EXPORT;

/// The tracer's name in traces.
pub(crate) const TRACER: &str = "checkpoint-gateway";

/// An error while telemetry is set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The endpoint is not a valid URL of a receiver.
    #[error(
        "`telemetry.otlp-endpoint` must be the URL of a receiver on this node, such as http://127.0.0.1:4317"
    )]
    Endpoint,
    /// The exporter cannot be created.
    #[error("cannot export by OTLP")]
    Exporter(#[from] ExporterBuildError),
    /// Logging is set up already in this process.
    #[error("logging is set up already")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Logs and traces of this process, and the export of its audit log, until [`Telemetry::shutdown`].
#[derive(Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
    audit: Option<(Intake, Sending)>,
    exports: Exports,
}

impl Telemetry {
    /// Sets up logs on standard error, traces to the configured receiver and to `extra` if there is one, and the export of the audit
    /// log if it is configured. Must be called once, within a Tokio runtime.
    ///
    /// # Errors
    /// If the receiver's address is wrong, or this was called before.
    pub fn init(
        config: &config::Telemetry,
        extra: Option<impl SpanProcessor + 'static>,
    ) -> Result<Self, Error> {
        let exports = Exports::default();
        let mut provider = SdkTracerProvider::builder()
            .with_sampler(trace::RequestsOnly)
            .with_resource(otlp::resource(&config.service_name));
        if !config.otlp_endpoint.is_empty() {
            let spans = Bounded::new(otlp::spans(config)?, Arc::clone(&exports.spans));
            provider = provider.with_span_processor(spans);
        }
        if let Some(extra) = extra {
            provider = provider.with_span_processor(extra);
        }
        let provider = provider.build();
        let audit = config
            .otlp_audit_log
            .then(|| audit_log(config, &exports))
            .transpose()?;
        global::set_text_map_propagator(TraceContextPropagator::new());
        global::set_tracer_provider(provider.clone());
        tracing_subscriber::registry()
            .with(trace::layer(provider.tracer(TRACER)))
            .with(log::layer(config.log_format, config.log_level))
            .try_init()?;
        Ok(Self {
            provider,
            audit,
            exports,
        })
    }

    /// Counts of exported spans and records.
    pub fn exports(&self) -> Exports {
        self.exports.clone()
    }

    /// The observer for the audit log, if its lines are exported.
    pub(crate) fn observer(&self) -> Option<Box<dyn Observer>> {
        self.audit
            .as_ref()
            .map(|(intake, _)| Box::new(intake.clone()) as Box<dyn Observer>)
    }

    /// Sends the rest, for at most a few seconds.
    pub async fn shutdown(self) {
        let (provider, audit) = (self.provider, self.audit);
        let spans = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(EXPORT));
        let records = async {
            match audit {
                Some((_, sending)) => sending.finish().await,
                None => true,
            }
        };
        let (spans, records) = tokio::join!(spans, records);
        if !matches!(spans, Ok(Ok(()))) {
            tracing::warn!("the last spans were not all sent");
        }
        if !records {
            tracing::warn!("the last records of the audit log were not all sent; the log has them");
        }
    }
}

fn audit_log(config: &config::Telemetry, exports: &Exports) -> Result<(Intake, Sending), Error> {
    let mut exporter = otlp::logs(config)?;
    exporter.set_resource(&otlp::resource(&config.service_name));
    Ok(Sending::start(exporter, Arc::clone(&exports.audit_log)))
}
