//! Loads the policies of `audit replay`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use gateway_policy::{Engine, Policies, Spec};
use gateway_server::Config;
use gateway_server::config::Environment;
use gateway_server::config::{Authorization, PolicyEngine};
use serde::Deserialize;

/// The shortest deadline of a policy here, in milliseconds: a replay compares decisions, not speed.
const DEADLINE: u64 = 5000;

/// The sections about policies in a gateway's configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Candidate {
    #[serde(default)]
    authorization: Authorization,
    #[serde(default)]
    policies: Vec<Spec>,
    #[serde(default)]
    policy_engine: PolicyEngine,
}

/// Loads policies from a gateway's configuration, from a file with only its sections about policies, or from `policies.toml`
/// in a folder. Relative paths in a folder's file count from the folder.
pub(super) fn load(path: &Path) -> Result<Policies> {
    let (file, folder) = if path.is_dir() {
        (path.join("policies.toml"), Some(path.to_path_buf()))
    } else {
        (path.to_path_buf(), None)
    };
    let mut candidate = read(&file)?;
    ensure!(
        !candidate.authorization.allow.is_empty() || !candidate.policies.is_empty(),
        "`{}` has no policies: neither `[[policies]]` nor `[[authorization.allow]]`",
        file.display()
    );
    for spec in &mut candidate.policies {
        spec.file = folder
            .as_ref()
            .map_or(PathBuf::new(), Clone::clone)
            .join(&spec.file);
        spec.limits.deadline_milliseconds = spec.limits.deadline_milliseconds.max(DEADLINE);
    }
    compile(candidate)
}

fn read(file: &Path) -> Result<Candidate> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read `{}`", file.display()))?;
    let wrong = || format!("`{}` is not a configuration of policies", file.display());
    let table: toml::Table = toml::from_str(&text).with_context(wrong)?;
    if !table.contains_key("tls") {
        return toml::from_str(&text).with_context(wrong);
    }
    let Config {
        authorization,
        policies,
        policy_engine,
        ..
    } = Config::load(file, &Environment::of_process())?;
    Ok(Candidate {
        authorization,
        policies,
        policy_engine,
    })
}

/// Compiles the policies. A policy that cannot be loaded is an error: it would deny everything.
fn compile(candidate: Candidate) -> Result<Policies> {
    let Candidate {
        authorization,
        policies,
        policy_engine,
    } = candidate;
    let engine = Engine::new(1, policy_engine.memory_bytes.get());
    let engine =
        engine.map_err(|error| anyhow!("cannot reserve memory for policies: {error:#}"))?;
    let policies = Policies::configured(0, authorization.allow, policies, &engine, None);
    if let Some((name, fault)) = policies.broken().next() {
        bail!(
            "policy `{name}` cannot be loaded ({}): {fault}",
            fault.code()
        );
    }
    Ok(policies)
}
