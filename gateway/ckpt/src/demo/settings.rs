//! The configuration of the demo's gateway.

use std::path::Path;

use anyhow::{Context, Result};
use gateway_audit::SigningKey;
use gateway_server::Config;
use gateway_server::config::Environment;
use serde_json::Value;

pub(super) const ISSUER: &str = "https://issuer.demo.example";
pub(super) const AUDIENCE: &str = "checkpoint-gateway";

/// The environment variables that change the demo: the receiver of traces, and the log level.
const VARIABLES: [&str; 2] = [
    "CHECKPOINT_GATEWAY_OTLP_ENDPOINT",
    "CHECKPOINT_GATEWAY_LOG_LEVEL",
];

/// The policy that decides what to redact: the committed component.
const REDACTOR: &[u8] =
    include_bytes!("../../../../policies/redact-environment/redact-environment.wasm");

/// Writes the gateway's configuration into `folder` and reads it as `serve` does.
pub(super) fn write(folder: &Path, socket: &Path) -> Result<Config> {
    let policy = folder.join("redact-environment.wasm");
    std::fs::write(&policy, REDACTOR)
        .with_context(|| format!("cannot write `{}`", policy.display()))?;
    let key = folder.join("audit.key");
    let public =
        SigningKey::generate(&key).with_context(|| format!("cannot make `{}`", key.display()))?;
    std::fs::write(folder.join("audit.pem"), public.pem()).context("cannot write a key")?;
    let path = folder.join("config.toml");
    std::fs::write(&path, text(folder, socket))
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    let variable = |name: &str| {
        VARIABLES
            .contains(&name)
            .then(|| std::env::var(name).ok())
            .flatten()
    };
    let environment = Environment::new(folder.to_path_buf(), variable);
    Ok(Config::load(&path, &environment)?)
}

fn text(folder: &Path, socket: &Path) -> String {
    let file = |name: &str| quoted(&folder.join(name));
    format!(
        r#"# The configuration of this demo. examples/config.toml in the sources explains every key.

[listen]
address = "127.0.0.1:0"        # 0 is any free port
admin-address = "127.0.0.1:0"

[tls]
certificate = {certificate}
key = {key}
client-ca = {client_ca}

[[issuers]]
issuer = "{ISSUER}"
audiences = ["{AUDIENCE}"]
jwks-file = {jwks}

[authorization]
allow = [
    {{ users = ["alice"], namespaces = ["shop"] }},
    {{ groups = ["security"] }},
]

[[policies]]
name = "redact-environment"    # masks the values of variables whose names speak of secrets, in every place
file = {redactor}
limits = {{ deadline-milliseconds = 2000 }}

[policy-engine]
cache-directory = {compiled}

[runtime]
socket = {socket}

[checkpoints]
directory = {checkpoints}
min-free-bytes = 67108864

[audit]
file = {audit}
key-file = {audit_key}
head-seconds = 5

[limits]
drain-seconds = 10

[telemetry]
log-level = "warn"
"#,
        certificate = file("server.crt"),
        key = file("server.key"),
        client_ca = file("ca.crt"),
        jwks = file("jwks.json"),
        redactor = file("redact-environment.wasm"),
        compiled = file("compiled"),
        socket = quoted(socket),
        checkpoints = file("checkpoints"),
        audit = file("audit.log"),
        audit_key = file("audit.key"),
    )
}

/// A path as a TOML string. A JSON string is also a TOML string.
fn quoted(path: &Path) -> String {
    Value::from(path.display().to_string()).to_string()
}
