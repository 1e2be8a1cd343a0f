//! Logs, traces and metrics. They are independent: a log level hides no span, and an exporter that is down costs nothing
//! but spans, which are counted.

mod exporter;
mod log;
mod metrics;
mod trace;

pub use exporter::SpanCounts;
pub use metrics::{Metrics, RequestLabels};
pub use trace::{inject, parent_of, trace_id};

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanProcessor};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{self, OtlpProtocol};
use exporter::Bounded;

/// The name of our tracer, as traces show it.
pub(crate) const TRACER: &str = "checkpoint-gateway";
/// How long one export may take.
const EXPORT: Duration = Duration::from_secs(5);

/// Why telemetry cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The endpoint is none that spans can be sent to.
    #[error(
        "`telemetry.otlp-endpoint` must be the URL of a receiver on this node, such as http://127.0.0.1:4317"
    )]
    Endpoint,
    /// The exporter cannot be made.
    #[error("cannot export traces")]
    Exporter(#[from] ExporterBuildError),
    /// Somebody else has set up logging in this process.
    #[error("logging is set up already")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Logs and traces of this process, until [`Telemetry::shutdown`].
#[derive(Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
    spans: Arc<SpanCounts>,
}

impl Telemetry {
    /// Sets up logs on standard error and traces to the configured receiver, and to `extra` if there is one. To be called
    /// once, within a Tokio runtime.
    ///
    /// # Errors
    /// Where the receiver's address is wrong, or this was called before.
    pub fn init(
        config: &config::Telemetry,
        extra: Option<impl SpanProcessor + 'static>,
    ) -> Result<Self, Error> {
        let spans = Arc::<SpanCounts>::default();
        let mut provider = SdkTracerProvider::builder()
            .with_sampler(trace::RequestsOnly)
            .with_resource(resource(&config.service_name));
        if !config.otlp_endpoint.is_empty() {
            provider = provider.with_span_processor(Bounded::new(exporter(config)?, Arc::clone(&spans)));
        }
        if let Some(extra) = extra {
            provider = provider.with_span_processor(extra);
        }
        let provider = provider.build();
        global::set_text_map_propagator(TraceContextPropagator::new());
        global::set_tracer_provider(provider.clone());
        tracing_subscriber::registry()
            .with(trace::layer(provider.tracer(TRACER)))
            .with(log::layer(config.log_format, config.log_level))
            .try_init()?;
        Ok(Self { provider, spans })
    }

    /// What became of the spans so far.
    pub fn spans(&self) -> Arc<SpanCounts> {
        Arc::clone(&self.spans)
    }

    /// Sends what is left, for a few seconds at the most.
    pub async fn shutdown(self) {
        let provider = self.provider;
        let sent = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(EXPORT)).await;
        if !matches!(sent, Ok(Ok(()))) {
            tracing::warn!("the last spans were not all sent");
        }
    }
}

fn exporter(config: &config::Telemetry) -> Result<opentelemetry_otlp::SpanExporter, Error> {
    let endpoint = config.otlp_endpoint.trim_end_matches('/');
    if !endpoint.starts_with("http://") || endpoint.parse::<http::Uri>().is_err() {
        return Err(Error::Endpoint);
    }
    let builder = opentelemetry_otlp::SpanExporter::builder();
    Ok(match config.otlp_protocol {
        OtlpProtocol::Grpc => builder.with_tonic().with_endpoint(endpoint).with_timeout(EXPORT).build()?,
        OtlpProtocol::HttpProtobuf => {
            let traces = format!("{endpoint}/v1/traces");
            builder.with_http().with_endpoint(traces).with_timeout(EXPORT).build()?
        }
    })
}

fn resource(service_name: &str) -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    Resource::builder().with_service_name(service_name.to_owned()).with_attribute(version).build()
}
