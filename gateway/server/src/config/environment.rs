//! The parts of a process's environment that a configuration depends on: variables and the working folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::explained;
use super::{Config, ConfigError};

/// The environment variables that override a key, for containers: name, key. An empty value counts as unset.
pub const VARIABLES: [(&str, &str); 7] = [
    ("CHECKPOINT_GATEWAY_LISTEN_ADDRESS", "listen.address"),
    ("CHECKPOINT_GATEWAY_ADMIN_ADDRESS", "listen.admin-address"),
    ("CHECKPOINT_GATEWAY_RUNTIME_SOCKET", "runtime.socket"),
    (
        "CHECKPOINT_GATEWAY_CHECKPOINT_DIRECTORY",
        "checkpoints.directory",
    ),
    ("CHECKPOINT_GATEWAY_LOG_FORMAT", "telemetry.log-format"),
    ("CHECKPOINT_GATEWAY_LOG_LEVEL", "telemetry.log-level"),
    (
        "CHECKPOINT_GATEWAY_OTLP_ENDPOINT",
        "telemetry.otlp-endpoint",
    ),
];

/// The part of a process's environment that matters to a configuration.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    working_folder: PathBuf,
    /// Values by key, with the variable's name.
    overrides: BTreeMap<&'static str, (&'static str, String)>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        // Without a working folder relative paths stay as they are, and lead nowhere.
        let working_folder = std::env::current_dir().unwrap_or_default();
        Self::new(working_folder, |name| std::env::var(name).ok())
    }

    /// An environment with this working folder, in which `variable` looks up the variables by name.
    pub fn new(working_folder: PathBuf, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = VARIABLES.into_iter().filter_map(|(name, key)| {
            let value = variable(name).filter(|value| !value.is_empty())?;
            Some((key, (name, value)))
        });
        Self {
            working_folder,
            overrides: set.collect(),
        }
    }

    /// Paths from the command line and from variables count from here.
    pub(super) fn working_folder(&self) -> &Path {
        &self.working_folder
    }

    /// Whether a variable gives the value of `key`.
    pub(super) fn overrides(&self, key: &str) -> bool {
        self.overrides.contains_key(key)
    }

    /// `config` with the values of the variables; `text` is what it was read from.
    pub(super) fn apply(&self, mut config: Config, text: &str) -> Result<Config, ConfigError> {
        if self.overrides.is_empty() {
            return Ok(config);
        }
        // It has been read before, so it is a table.
        let mut table: toml::Table = toml::from_str(text).unwrap_or_default();
        // One after another, so that an error names the variable that is wrong.
        for (key, (name, value)) in &self.overrides {
            set(&mut table, key, value);
            config = Config::deserialize(table.clone())
                .map_err(|error| ConfigError::variable(name, explained(error.message())))?;
        }
        Ok(config)
    }
}

fn set(table: &mut toml::Table, key: &str, value: &str) {
    let Some((section, key)) = key.split_once('.') else {
        return;
    };
    let section = table
        .entry(section)
        .or_insert_with(|| toml::Table::new().into());
    if let Some(section) = section.as_table_mut() {
        section.insert(key.to_owned(), value.into());
    }
}
