//! Denies a checkpoint if the last one of the same container is too recent.

use checkpoint_gateway_policy::prelude::*;

/// See `schema.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    minutes: u64,
    #[serde(default)]
    exempt_groups: Vec<String>,
}

/// The policy.
pub struct RateLimitByAge(Settings);

/// A minute, in milliseconds.
const MINUTE: u64 = 60_000;
/// A year, in minutes.
const YEAR: u64 = 365 * 24 * 60;

impl Authorizer for RateLimitByAge {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        match settings.minutes {
            1..=YEAR => Ok(Self(settings)),
            _ => Err(format!("`minutes` must be 1 to {YEAR}, which is a year")),
        }
    }

    fn authorize(&self, request: &Request) -> Verdict {
        let Self(settings) = self;
        if request.action != Action::Create || request.identity.is_in_any(&settings.exempt_groups) {
            return Verdict::abstain();
        }
        let Some(latest) = &request.latest else {
            return Verdict::abstain();
        };
        // A checkpoint from the future (the clock was set back) counts as created just now.
        let age = request.received_at.saturating_sub(latest.created_at);
        let Some(wait) = (settings.minutes * MINUTE)
            .checked_sub(age)
            .filter(|wait| *wait > 0)
        else {
            return Verdict::abstain();
        };
        let message = format!(
            "the last checkpoint of this container was created {} min ago, and the minimum interval is {} min: \
             try again in {} min",
            age / MINUTE,
            settings.minutes,
            wait.div_ceil(MINUTE)
        );
        Verdict::deny("checkpoint-too-recent", message).annotated("age-ms", age.to_string())
    }
}

export_authorizer!(RateLimitByAge);
