//! `check`: everything that can be wrong with a configuration, without starting a gateway.

use std::path::Path;

use crate::authn::{Authenticator, JwksError};
use crate::config::{Config, ConfigError, Environment, Problem, key_of};
use crate::error_chain::cause;
use crate::{audit_keys, tls};

/// Reads the configuration in `file` and the certificates and keys that it names, as a start would. Creates nothing and takes
/// no lock, so it can run beside a gateway.
///
/// # Errors
/// The first mistake found.
pub fn check(file: &Path, environment: &Environment) -> Result<(), ConfigError> {
    let document = Config::document(file)?;
    let config = Config::read(&document, environment)?;
    check_files(&config).map_err(|unusable| {
        let key = key_of(&config, unusable.path()).unwrap_or_default();
        ConfigError::at(&document, &key, Problem::new(cause(&unusable)))
    })
}

fn check_files(config: &Config) -> Result<(), UnusableFile> {
    tls::server_config(&config.tls)?;
    Authenticator::new(&config.issuers)?;
    audit_keys::settings(&config.audit)?;
    Ok(())
}

/// A file that the configuration names and that cannot be used.
#[derive(Debug, thiserror::Error)]
enum UnusableFile {
    #[error(transparent)]
    Tls(#[from] tls::Error),
    #[error(transparent)]
    Jwks(#[from] JwksError),
    #[error(transparent)]
    Audit(#[from] gateway_audit::Error),
}

impl UnusableFile {
    fn path(&self) -> &Path {
        match self {
            Self::Tls(error) => error.path(),
            Self::Jwks(error) => error.path(),
            Self::Audit(error) => error.path(),
        }
    }
}
