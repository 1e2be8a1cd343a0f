//! {{name}}: say here what it hides.

use checkpoint_gateway_policy::prelude::*;

/// What an operator can set; `schema.json` tells them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {}

/// The policy.
pub struct Policy;

impl Redactor for Policy {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    /// Runs once, when the policy is loaded. Refuse settings here that make no sense.
    fn configure(_: Settings) -> Result<Self, String> {
        Ok(Self)
    }

    /// Answer a plan, such as `Plan { mask: vec![MaskRule::env_value("*TOKEN*", Places::all())], ..Plan::empty() }`.
    /// An error means: no checkpoint.
    fn redact(&self, request: &Request) -> Result<Plan, String> {
        Err(format!("{{name}} does not decide yet on {}", request.target.namespace))
    }
}

export_redactor!(Policy);
