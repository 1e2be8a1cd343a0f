//! The configuration: TOML, every unknown key refused, every mistake shown with its line and column.

mod credentials;
mod mistake;
mod numbers;
mod policies;
mod service;
mod storage;
mod telemetry;

pub use credentials::{Issuer, SignatureAlgorithm, Tls, TlsVersion};
pub use mistake::Mistake;
pub use policies::{Authorization, PolicyEngine, Shadow};
pub use service::{Audit, Checkpoints, Limits, Listen, Runtime};
pub use storage::{Keep, Originals, Quota, QuotaLimits, Redaction};
pub use telemetry::{LogFormat, LogLevel, OtlpProtocol, Telemetry};

pub(crate) use numbers::seconds;

use std::path::Path;

use serde::Deserialize;

/// All that the gateway is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where to listen.
    #[serde(default)]
    pub listen: Listen,
    /// The gateway's own certificate, and whose client certificates count.
    pub tls: Tls,
    /// Whose tokens count.
    #[serde(default)]
    pub issuers: Vec<Issuer>,
    /// Who may do what.
    #[serde(default)]
    pub authorization: Authorization,
    /// Policies as WebAssembly components, in the order in which they are asked.
    #[serde(default)]
    pub policies: Vec<gateway_policy::Spec>,
    /// Policies that are only tried out.
    #[serde(default)]
    pub shadow: Shadow,
    /// What runs them.
    #[serde(default)]
    pub policy_engine: PolicyEngine,
    /// The container runtime.
    #[serde(default)]
    pub runtime: Runtime,
    /// Where checkpoints go.
    #[serde(default)]
    pub checkpoints: Checkpoints,
    /// How much is kept, and for how long.
    #[serde(default)]
    pub quota: Quota,
    /// What becomes of archives as the runtime wrote them.
    #[serde(default)]
    pub originals: Originals,
    /// How what policies want hidden is hidden.
    #[serde(default)]
    pub redaction: Redaction,
    /// The audit log.
    #[serde(default)]
    pub audit: Audit,
    /// Bounds on what callers may take up.
    #[serde(default)]
    pub limits: Limits,
    /// Logs and traces.
    #[serde(default)]
    pub telemetry: Telemetry,
}

/// A file that the configuration names and that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// One of `[tls]`.
    #[error(transparent)]
    Tls(#[from] crate::tls::Error),
    /// One of `[[issuers]]`.
    #[error(transparent)]
    Jwks(#[from] crate::authn::JwksError),
    /// One of `[audit]`.
    #[error(transparent)]
    Audit(#[from] gateway_audit::Error),
}

impl Unusable {
    /// Which file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Tls(error) => error.path(),
            Self::Jwks(error) => error.path(),
            Self::Audit(error) => error.path(),
        }
    }
}

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

impl Config {
    /// Reads the file at `path`; `variable` looks up an environment variable.
    ///
    /// # Errors
    /// The first mistake found.
    pub fn load(path: &Path, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Mistake> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Mistake::unreadable(path, source))?;
        Self::parse(&text, &path.display().to_string(), variable)
    }

    /// Reads `text`; mistakes name it as `name`.
    ///
    /// # Errors
    /// The first mistake found.
    pub fn parse(
        text: &str,
        name: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistake> {
        // First as written, so that line and column are those of the file; then with what the environment says.
        let written: Self =
            toml::from_str(text).map_err(|error| Mistake::in_text(text, name, &error))?;
        let config = overridden(text, variable)?.unwrap_or(written);
        config
            .check()
            .map_err(|what| Mistake::of_meaning(name, what))?;
        Ok(config)
    }

    /// Reads what the files that it names hold, as a start would.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn check_files(&self) -> Result<(), Unusable> {
        crate::tls::server_config(&self.tls)?;
        crate::authn::Authenticator::new(&self.issuers)?;
        crate::audit_keys::settings(&self.audit)?;
        Ok(())
    }

    /// What no single key can tell.
    fn check(&self) -> Result<(), String> {
        if self.issuers.is_empty() && self.tls.client_ca.is_none() {
            return Err(
                "nobody could prove who they are: add `[[issuers]]` or set `tls.client-ca`"
                    .to_owned(),
            );
        }
        self.originals
            .keep()
            .map_err(|wrong| format!("`originals.recipients`: {wrong}"))?;
        for (at, issuer) in self.issuers.iter().enumerate() {
            if self
                .issuers
                .iter()
                .take(at)
                .any(|other| other.issuer == issuer.issuer)
            {
                return Err(format!("two `[[issuers]]` are called `{}`", issuer.issuer));
            }
        }
        if self.telemetry.otlp_audit_log && self.telemetry.otlp_endpoint.is_empty() {
            return Err("`telemetry.otlp-audit-log` needs `telemetry.otlp-endpoint`".to_owned());
        }
        names("policies", &self.policies)?;
        names("shadow.policies", &self.shadow.policies)
    }
}

/// Each policy has a name of its own.
fn names(table: &str, policies: &[gateway_policy::Spec]) -> Result<(), String> {
    for (at, policy) in policies.iter().enumerate() {
        if policy.name == gateway_policy::AllowList::NAME || policy.name.is_empty() {
            return Err(format!("no policy can be called `{}`", policy.name));
        }
        if policies
            .iter()
            .take(at)
            .any(|other| other.name == policy.name)
        {
            return Err(format!("two `[[{table}]]` are called `{}`", policy.name));
        }
    }
    Ok(())
}

fn overridden(
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Config>, Mistake> {
    let set: Vec<_> = VARIABLES
        .into_iter()
        .filter_map(|(name, key)| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(|value| (name, key, value))
        })
        .collect();
    if set.is_empty() {
        return Ok(None);
    }
    let wrong = |error: toml::de::Error| Mistake::in_environment(&set, &error);
    let mut table: toml::Table = toml::from_str(text).map_err(wrong)?;
    for (_, key, value) in &set {
        let Some((section, key)) = key.split_once('.') else {
            continue;
        };
        let section = table
            .entry(section)
            .or_insert_with(|| toml::Table::new().into());
        if let Some(section) = section.as_table_mut() {
            section.insert(key.to_owned(), value.clone().into());
        }
    }
    Config::deserialize(table).map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../../examples/config.toml");

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, "config.toml", |_| None).map_err(|mistake| mistake.to_string())
    }

    fn with(variables: &[(&str, &str)]) -> Result<Config, String> {
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Config::parse(EXAMPLE, "config.toml", variable).map_err(|mistake| mistake.to_string())
    }

    /// The keys that a table takes, as its own refusal of an unknown one lists them.
    fn keys(table: &str) -> Vec<String> {
        let error = toml::from_str::<Config>(&format!("{table}\n__none = 0\n")).unwrap_err();
        let (_, expected) = error
            .message()
            .split_once("expected ")
            .expect("a list of keys");
        expected
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_example_parses_and_explains_every_key() {
        parse(EXAMPLE).unwrap();
        let example: toml::Table = toml::from_str(EXAMPLE).unwrap();
        let sections = keys("");
        assert!(sections.len() >= 9, "{sections:?}");
        for section in sections {
            let shown = example
                .get(&section)
                .unwrap_or_else(|| panic!("no section {section}"));
            let (header, table) = match shown {
                toml::Value::Array(tables) => {
                    (format!("[[{section}]]"), tables[0].as_table().unwrap())
                }
                other => (format!("[{section}]"), other.as_table().unwrap()),
            };
            for key in keys(&header) {
                assert!(
                    table.contains_key(&key),
                    "the example does not show {header} {key}"
                );
            }
        }
        let is_key = |line: &str| {
            let name = line.split_once(" = ").map(|(name, _)| name);
            name.is_some_and(|name| {
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            })
        };
        let lines: Vec<_> = EXAMPLE.lines().collect();
        for pair in lines.windows(2).filter(|pair| is_key(pair[1])) {
            assert!(pair[0].starts_with('#'), "no comment above `{}`", pair[1]);
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place_and_the_key_that_was_meant() {
        let error =
            parse("[tls]\ncertificate = \"a\"\nkey = \"b\"\n\n[listen]\nadress = \"0.0.0.0:1\"\n")
                .unwrap_err();
        assert!(
            error.starts_with("config.toml:6:1: unknown key `adress`"),
            "{error}"
        );
        assert!(error.contains("did you mean `address`?"), "{error}");
        let error = parse("[tsl]\n").unwrap_err();
        assert!(
            error.starts_with("config.toml:1:2: unknown key `tsl`") && error.contains("`tls`"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_place() {
        let error = parse("[listen]\naddress = \"nowhere\"\n").unwrap_err();
        assert!(error.starts_with("config.toml:2:11: "), "{error}");
        let error = parse("[limits]\nconnections = 0\n").unwrap_err();
        assert!(error.starts_with("config.toml:2:15: "), "{error}");
    }

    #[test]
    fn a_gateway_to_which_nobody_could_prove_anything_is_refused() {
        let error = parse("[tls]\ncertificate = \"a\"\nkey = \"b\"\n").unwrap_err();
        assert!(error.contains("nobody could prove who they are"), "{error}");
    }

    #[test]
    fn an_audit_log_that_is_to_be_sent_nowhere_is_refused() {
        let sent = EXAMPLE.replace("otlp-audit-log = false", "otlp-audit-log = true");
        assert!(
            parse(&sent)
                .unwrap_err()
                .contains("needs `telemetry.otlp-endpoint`")
        );
        assert!(
            parse(&sent.replace(
                "otlp-endpoint = \"\"",
                "otlp-endpoint = \"http://[::1]:4317\""
            ))
            .is_ok()
        );
    }

    #[test]
    fn an_issuer_needs_an_audience_and_a_name_of_its_own() {
        let base = "[tls]\ncertificate = \"a\"\nkey = \"b\"\n";
        let issuer =
            "[[issuers]]\nissuer = \"https://i\"\naudiences = [\"g\"]\njwks-file = \"j\"\n";
        assert!(parse(&format!("{base}{issuer}")).is_ok());
        assert!(
            parse(&format!("{base}{issuer}{issuer}"))
                .unwrap_err()
                .contains("two `[[issuers]]`")
        );
        let error = parse(&format!("{base}{}", issuer.replace("\"g\"", ""))).unwrap_err();
        assert!(
            error.starts_with("config.toml:6:13: name at least one"),
            "{error}"
        );
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let config = with(&[
            ("CHECKPOINT_GATEWAY_LISTEN_ADDRESS", "127.0.0.1:7"),
            ("CHECKPOINT_GATEWAY_LOG_FORMAT", "json"),
        ]);
        let config = config.unwrap();
        assert_eq!(config.listen.address.port(), 7);
        assert_eq!(config.telemetry.log_format, LogFormat::Json);
        assert!(
            with(&[("CHECKPOINT_GATEWAY_LOG_FORMAT", "")]).is_ok(),
            "an empty value counts as unset"
        );
    }

    #[test]
    fn a_wrong_variable_is_named() {
        let error = with(&[("CHECKPOINT_GATEWAY_LOG_FORMAT", "yaml")]).unwrap_err();
        assert!(error.contains("CHECKPOINT_GATEWAY_LOG_FORMAT"), "{error}");
    }

    #[test]
    fn every_variable_overrides_a_key_that_exists() {
        for (name, key) in VARIABLES {
            let (section, key) = key.split_once('.').unwrap();
            assert!(
                keys(&format!("[{section}]"))
                    .iter()
                    .any(|known| known == key),
                "{name}"
            );
        }
    }
}
