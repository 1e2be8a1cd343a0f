//! {{name}}: describe here in one sentence what the policy does.

use checkpoint_gateway_policy::prelude::*;

/// The settings, as in `schema.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {}

/// The policy.
pub struct Policy;

impl Redactor for Policy {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    /// Runs once, when the policy is loaded. Return an error for settings that are not valid.
    fn configure(_: Settings) -> Result<Self, String> {
        Ok(Self)
    }

    /// Return a plan, such as `Plan { mask: vec![MaskRule::env_value("*TOKEN*", Places::all())], ..Plan::empty() }`.
    /// If this fails, no checkpoint is created.
    fn redact(&self, request: &Request) -> Result<Plan, String> {
        Err(format!("{{name}} is not implemented: it refuses checkpoints in {}", request.target.namespace))
    }
}

export_redactor!(Policy);
