//! The exporters to the OTLP receiver.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{LogExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;

use super::Error;
use crate::config::{OtlpProtocol, Telemetry};

/// The longest export.
pub(super) const EXPORT: Duration = Duration::from_secs(5);

pub(super) fn spans(config: &Telemetry) -> Result<SpanExporter, Error> {
    let (endpoint, builder) = (endpoint(config)?, SpanExporter::builder());
    Ok(match config.otlp_protocol {
        OtlpProtocol::Grpc => builder
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT)
            .build()?,
        OtlpProtocol::HttpProtobuf => {
            let traces = format!("{endpoint}/v1/traces");
            builder
                .with_http()
                .with_endpoint(traces)
                .with_timeout(EXPORT)
                .build()?
        }
    })
}

pub(super) fn logs(config: &Telemetry) -> Result<LogExporter, Error> {
    let (endpoint, builder) = (endpoint(config)?, LogExporter::builder());
    Ok(match config.otlp_protocol {
        OtlpProtocol::Grpc => builder
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT)
            .build()?,
        OtlpProtocol::HttpProtobuf => {
            let logs = format!("{endpoint}/v1/logs");
            builder
                .with_http()
                .with_endpoint(logs)
                .with_timeout(EXPORT)
                .build()?
        }
    })
}

fn endpoint(config: &Telemetry) -> Result<&str, Error> {
    let endpoint = config.otlp_endpoint.trim_end_matches('/');
    let is_clear = endpoint.starts_with("http://") && endpoint.parse::<http::Uri>().is_ok();
    is_clear.then_some(endpoint).ok_or(Error::Endpoint)
}

/// The resource that sends telemetry.
pub(super) fn resource(service_name: &str) -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    Resource::builder()
        .with_service_name(service_name.to_owned())
        .with_attribute(version)
        .build()
}
