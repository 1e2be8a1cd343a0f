//! {{name}}: say here what it decides.

use checkpoint_gateway_policy::prelude::*;

/// What an operator can set; `schema.json` tells them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {}

/// The policy.
pub struct Policy;

impl Authorizer for Policy {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    /// Runs once, when the policy is loaded. Refuse settings here that make no sense.
    fn configure(_: Settings) -> Result<Self, String> {
        Ok(Self)
    }

    /// Answer `Verdict::allow()`, `Verdict::deny(code, message)`, or `Verdict::abstain()`, which leaves it to the others.
    fn authorize(&self, request: &Request) -> Verdict {
        let message = format!("{{name}} does not decide yet on {}", request.target.namespace);
        Verdict::deny("not-decided-yet", message)
    }
}

export_authorizer!(Policy);
