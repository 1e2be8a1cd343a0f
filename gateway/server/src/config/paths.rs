//! The paths in a configuration, and the folder that relative ones count from.

use std::path::{Path, PathBuf};

use super::document::Document;
use super::environment::Environment;
use super::error::Problem;
use super::{Config, ConfigError};

/// Makes every path of `config` absolute. Those in the file count from the file's folder, those from environment variables
/// from the working folder.
///
/// # Errors
/// If a path in the file names nothing in the file's folder and something in the working folder. Such paths once counted from
/// the working folder, so it is unclear which of the two is meant.
pub(super) fn resolve(
    config: &mut Config,
    document: &Document<'_>,
    environment: &Environment,
) -> Result<(), ConfigError> {
    let working_folder = environment.working_folder();
    let folder = document.folder(working_folder);
    for (key, path) in paths(config) {
        let written = std::mem::take(path);
        if environment.overrides(&key) {
            *path = working_folder.join(written);
            continue;
        }
        *path = folder.join(&written);
        let elsewhere = working_folder.join(&written);
        if is_missing(path) && elsewhere.exists() {
            return Err(ConfigError::at(
                document,
                &key,
                misplaced(&written, path, &elsewhere),
            ));
        }
    }
    Ok(())
}

/// The key of the file at `path`, if the configuration names it.
pub(crate) fn key_of(config: &Config, path: &Path) -> Option<String> {
    let mut config = config.clone();
    let found = paths(&mut config)
        .into_iter()
        .find(|(_, named)| *named == path);
    found.map(|(key, _)| key)
}

/// Every path that is set, with its key. An empty path means none.
fn paths(config: &mut Config) -> Vec<(String, &mut PathBuf)> {
    let single = [
        ("tls.certificate", Some(&mut config.tls.certificate)),
        ("tls.key", Some(&mut config.tls.key)),
        ("tls.client-ca", config.tls.client_ca.as_mut()),
        (
            "policy-engine.cache-directory",
            Some(&mut config.policy_engine.cache_directory),
        ),
        ("runtime.socket", config.runtime.socket.as_mut()),
        (
            "checkpoints.directory",
            Some(&mut config.checkpoints.directory),
        ),
        (
            "redaction.fingerprint-key",
            config.redaction.fingerprint_key.as_mut(),
        ),
        ("audit.file", Some(&mut config.audit.file)),
        ("audit.key-file", Some(&mut config.audit.key_file)),
        (
            "audit.previous-key-file",
            Some(&mut config.audit.previous_key_file),
        ),
    ];
    let single = single
        .into_iter()
        .filter_map(|(key, path)| Some((key.to_owned(), path?)));
    let key_sets = config
        .issuers
        .iter_mut()
        .map(|issuer| &mut issuer.jwks_file);
    let policies = config.policies.iter_mut().map(|policy| &mut policy.file);
    let shadow = config.shadow.policies.iter_mut();
    let shadow = shadow.map(|policy| &mut policy.file);
    single
        .chain(numbered("issuers", "jwks-file", key_sets))
        .chain(numbered("policies", "file", policies))
        .chain(numbered("shadow.policies", "file", shadow))
        .filter(|(_, path)| !path.as_os_str().is_empty())
        .collect()
}

fn numbered<'a>(
    table: &'static str,
    key: &'static str,
    paths: impl Iterator<Item = &'a mut PathBuf>,
) -> impl Iterator<Item = (String, &'a mut PathBuf)> {
    paths
        .enumerate()
        .map(move |(at, path)| (format!("{table}.{at}.{key}"), path))
}

/// A path that cannot be looked up, for lack of permission, is not missing.
fn is_missing(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

fn misplaced(written: &Path, here: &Path, elsewhere: &Path) -> Problem {
    let what = format!(
        "`{}` counts from the configuration's folder, but `{}` does not exist and `{}` does",
        written.display(),
        here.display(),
        elsewhere.display()
    );
    Problem::new(what).advise("move the file, or write an absolute path")
}
