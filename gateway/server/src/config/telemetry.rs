//! The table `[telemetry]`: logs and traces.

use serde::Deserialize;

/// `[telemetry]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Telemetry {
    /// The format of log lines.
    pub log_format: LogFormat,
    /// The lowest level that is logged.
    pub log_level: LogLevel,
    /// The base URL of the OTLP receiver of traces, such as `http://127.0.0.1:4317`; empty for none.
    pub otlp_endpoint: String,
    /// The protocol to the receiver.
    pub otlp_protocol: OtlpProtocol,
    /// Whether the records of the audit log are also sent there, as logs. The file remains the record of truth.
    pub otlp_audit_log: bool,
    /// The `service.name` of traces and logs.
    pub service_name: String,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people; in colour on a terminal.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// The level of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// A transport of the OpenTelemetry protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum OtlpProtocol {
    /// gRPC, commonly on port 4317.
    #[default]
    #[serde(rename = "grpc")]
    Grpc,
    /// Protobuf in HTTP, commonly on port 4318.
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            log_format: LogFormat::default(),
            log_level: LogLevel::default(),
            otlp_endpoint: String::new(),
            otlp_protocol: OtlpProtocol::default(),
            otlp_audit_log: false,
            service_name: "checkpoint-gateway".to_owned(),
        }
    }
}
