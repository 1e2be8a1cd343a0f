//! {{name}}: describe here in one sentence what the policy does.

use checkpoint_gateway_policy::prelude::*;

/// The settings, as in `schema.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {}

/// The policy.
pub struct Policy;

impl Authorizer for Policy {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    /// Runs once, when the policy is loaded. Return an error for settings that are not valid.
    fn configure(_: Settings) -> Result<Self, String> {
        Ok(Self)
    }

    /// Return `Verdict::allow()`, `Verdict::deny(code, message)`, or `Verdict::abstain()`, if other policies decide.
    fn authorize(&self, request: &Request) -> Verdict {
        let message = format!("{{name}} is not implemented: it denies requests in {}", request.target.namespace);
        Verdict::deny("not-implemented", message)
    }
}

export_authorizer!(Policy);
