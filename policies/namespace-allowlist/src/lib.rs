//! Allows requests in the listed namespaces and denies all others.

use checkpoint_gateway_policy::glob;
use checkpoint_gateway_policy::prelude::*;

/// See `schema.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    namespaces: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    #[serde(default)]
    listed: Listed,
}

/// The answer for a listed namespace.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum Listed {
    #[default]
    Allow,
    Abstain,
}

/// The policy.
pub struct NamespaceAllowlist(Settings);

impl Authorizer for NamespaceAllowlist {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        if settings.namespaces.is_empty() {
            return Err("`namespaces` is empty: list at least one".into());
        }
        let globs = settings.namespaces.iter().chain(&settings.except);
        match globs
            .into_iter()
            .find(|glob| !could_match_a_namespace(glob))
        {
            Some(glob) => Err(format!(
                "`{glob}` matches no namespace: use a-z, 0-9, `-` and `*`"
            )),
            None => Ok(Self(settings)),
        }
    }

    fn authorize(&self, request: &Request) -> Verdict {
        let Self(settings) = self;
        let namespace = &request.target.namespace;
        if !glob::matches_any(&settings.namespaces, namespace)
            || glob::matches_any(&settings.except, namespace)
        {
            let message = format!("checkpoints are not allowed in the namespace `{namespace}`");
            return Verdict::deny("namespace-not-allowed", message);
        }
        match settings.listed {
            Listed::Allow => Verdict::allow(),
            Listed::Abstain => Verdict::abstain(),
        }
    }
}

export_authorizer!(NamespaceAllowlist);

fn could_match_a_namespace(glob: &str) -> bool {
    let fits = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'*')
    };
    !glob.is_empty() && glob.bytes().all(fits)
}
