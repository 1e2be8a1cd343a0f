//! What is told of the gateway's work, and where.

use serde::Deserialize;

/// `[telemetry]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Telemetry {
    /// How log lines look.
    pub log_format: LogFormat,
    /// The least important lines that are written.
    pub log_level: LogLevel,
    /// Where traces go: the base URL of an OTLP receiver, such as `http://127.0.0.1:4317`; empty for nowhere.
    pub otlp_endpoint: String,
    /// How they go there.
    pub otlp_protocol: OtlpProtocol,
    /// Whether the records of the audit log go there too, as logs. The file stays what counts.
    pub otlp_audit_log: bool,
    /// `service.name` of what goes there.
    pub service_name: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people; in colour on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How important a line must be to be written.
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
