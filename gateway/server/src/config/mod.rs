//! The configuration: TOML, every unknown key refused, every mistake shown with its line and column.

mod credentials;
mod document;
mod environment;
mod error;
mod numbers;
mod paths;
mod policies;
mod service;
mod storage;
mod suggestions;
mod telemetry;
#[cfg(test)]
mod tests;
mod validate;

pub use credentials::{Issuer, SignatureAlgorithm, Tls, TlsVersion};
pub use environment::{Environment, VARIABLES};
pub use error::ConfigError;
pub use policies::{Authorization, PolicyEngine, Shadow};
pub use service::{Audit, Checkpoints, Limits, Listen, Runtime};
pub use storage::{Keep, LastApplied, Originals, Quota, QuotaLimits, Redaction};
pub use telemetry::{LogFormat, LogLevel, OtlpProtocol, Telemetry};

use document::Document;
pub(crate) use error::Problem;
pub(crate) use numbers::seconds;
pub(crate) use paths::key_of;

use std::path::Path;

use serde::Deserialize;

/// The gateway's whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The addresses of the listeners.
    #[serde(default)]
    pub listen: Listen,
    /// The gateway's certificate, and the CA of client certificates.
    pub tls: Tls,
    /// The accepted issuers of tokens.
    #[serde(default)]
    pub issuers: Vec<Issuer>,
    /// The built-in allow list.
    #[serde(default)]
    pub authorization: Authorization,
    /// Policies as WebAssembly components, in the order in which they are asked.
    #[serde(default)]
    pub policies: Vec<gateway_policy::Spec>,
    /// Shadow policies.
    #[serde(default)]
    pub shadow: Shadow,
    /// The engine that runs policies.
    #[serde(default)]
    pub policy_engine: PolicyEngine,
    /// The container runtime.
    #[serde(default)]
    pub runtime: Runtime,
    /// The folder for checkpoints and how they are taken.
    #[serde(default)]
    pub checkpoints: Checkpoints,
    /// Limits of stored checkpoints, and their largest age.
    #[serde(default)]
    pub quota: Quota,
    /// The handling of original archives.
    #[serde(default)]
    pub originals: Originals,
    /// The settings of redaction.
    #[serde(default)]
    pub redaction: Redaction,
    /// The audit log.
    #[serde(default)]
    pub audit: Audit,
    /// Limits on callers.
    #[serde(default)]
    pub limits: Limits,
    /// Logs and traces.
    #[serde(default)]
    pub telemetry: Telemetry,
}

impl Config {
    /// Reads the configuration in `file`.
    ///
    /// # Errors
    /// The first mistake found.
    pub fn load(file: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        Self::read(&Self::document(file)?, environment)
    }

    /// Reads `text` as if it stood in `file`.
    ///
    /// # Errors
    /// The first mistake found.
    pub fn parse(text: &str, file: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let text = text.to_owned();
        Self::read(&Document { file, text }, environment)
    }

    /// The text of the file at `file`.
    pub(crate) fn document(file: &Path) -> Result<Document<'_>, ConfigError> {
        Document::read(file).map_err(|source| ConfigError::read(file, source))
    }

    pub(crate) fn read(
        document: &Document<'_>,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        // Without the environment first, so that line and column are those of the file.
        let config =
            toml::from_str(&document.text).map_err(|error| ConfigError::parse(document, &error))?;
        let mut config = environment.apply(config, &document.text)?;
        paths::resolve(&mut config, document, environment)?;
        validate::validate(&config)
            .map_err(|(key, problem)| ConfigError::at(document, &key, problem))?;
        Ok(config)
    }
}
