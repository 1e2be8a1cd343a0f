//! Checks of a configuration that concern more than one key.

use super::document::goes_up;
use super::error::Problem;
use super::{Config, Originals};

/// The first problem, with the key that has it.
pub(super) fn validate(config: &Config) -> Result<(), (String, Problem)> {
    if config.issuers.is_empty() && config.tls.client_ca.is_none() {
        let problem = Problem::new("no caller can authenticate")
            .advise("add `[[issuers]]` or set `tls.client-ca`");
        return Err(("tls".to_owned(), problem));
    }
    recipients(&config.originals)?;
    let issuers = config.issuers.iter().map(|issuer| issuer.issuer.as_str());
    unique("issuers", "issuer", issuers)?;
    if config.telemetry.otlp_audit_log && config.telemetry.otlp_endpoint.is_empty() {
        let problem = Problem::new("`telemetry.otlp-audit-log` needs `telemetry.otlp-endpoint`");
        return Err(("telemetry.otlp-audit-log".to_owned(), problem));
    }
    let directory = &config.checkpoints.directory;
    if !directory.is_absolute() || goes_up(directory) {
        let problem = Problem::new("must be a path without `..`: the runtime is given it");
        return Err(("checkpoints.directory".to_owned(), problem));
    }
    policies("policies", &config.policies)?;
    policies("shadow.policies", &config.shadow.policies)
}

fn recipients(originals: &Originals) -> Result<(), (String, Problem)> {
    originals.keep().map(drop).map_err(|error| {
        let problem = Problem::new(format!("`originals.recipients`: {error}"));
        ("originals.recipients".to_owned(), problem)
    })
}

/// Each policy has a name of its own, which is not empty and not that of the built-in one.
fn policies(table: &str, policies: &[gateway_policy::Spec]) -> Result<(), (String, Problem)> {
    let names = policies.iter().map(|policy| policy.name.as_str());
    for (at, name) in names.clone().enumerate() {
        if name == gateway_policy::AllowList::NAME || name.is_empty() {
            let problem = Problem::new(format!("a policy cannot be called `{name}`"));
            return Err((format!("{table}.{at}.name"), problem));
        }
    }
    unique(table, "name", names)
}

/// Each table of `[[table]]` has another value of `key`.
fn unique<'a>(
    table: &str,
    key: &str,
    values: impl Iterator<Item = &'a str>,
) -> Result<(), (String, Problem)> {
    let mut seen = std::collections::BTreeSet::new();
    for (at, value) in values.enumerate() {
        if !seen.insert(value) {
            let problem = Problem::new(format!("two `[[{table}]]` have the {key} `{value}`"));
            return Err((format!("{table}.{at}.{key}"), problem));
        }
    }
    Ok(())
}
