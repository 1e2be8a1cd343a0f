//! Denies requests without an adequate reason.

use checkpoint_gateway_policy::prelude::*;
use regex_lite::{Regex, RegexBuilder};

/// See `schema.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    pattern: Option<String>,
    hint: Option<String>,
    min_length: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pattern: None,
            hint: None,
            min_length: 10,
        }
    }
}

/// The policy.
pub struct RequireReason {
    ticket: Option<Regex>,
    hint: String,
    min_length: usize,
}

impl Authorizer for RequireReason {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        if settings.min_length > REASON_MAX {
            return Err(format!(
                "`min-length` is more than {REASON_MAX}: no reason is that long"
            ));
        }
        let ticket = settings.pattern.as_deref().map(compile).transpose()?;
        if ticket.as_ref().is_some_and(|ticket| ticket.is_match("")) {
            return Err("`pattern` matches the empty text, so every reason would match".into());
        }
        let hint = settings.hint.or(settings
            .pattern
            .map(|pattern| format!("what matches `{pattern}`")));
        Ok(Self {
            ticket,
            hint: hint.unwrap_or_default(),
            min_length: settings.min_length,
        })
    }

    fn authorize(&self, request: &Request) -> Verdict {
        let reason = request.reason.as_deref().unwrap_or_default().trim();
        if reason.is_empty() {
            return Verdict::deny(
                "reason-missing",
                format!("give a reason in X-Checkpoint-Reason{}", self.hint_suffix()),
            );
        }
        if reason.chars().count() < self.min_length {
            let message = format!(
                "the reason is too short: give at least {} characters",
                self.min_length
            );
            return Verdict::deny("reason-too-short", message);
        }
        let Some(ticket) = &self.ticket else {
            return Verdict::abstain();
        };
        match ticket.find(reason) {
            Some(found) => Verdict::abstain().annotated("ticket", found.as_str()),
            None => Verdict::deny(
                "reason-without-ticket",
                format!("the reason does not contain {}", self.hint),
            ),
        }
    }
}

export_authorizer!(RequireReason);

/// The longest `min-length`, in characters.
const REASON_MAX: usize = 1024;

impl RequireReason {
    /// The hint, for the message to callers who gave no reason.
    fn hint_suffix(&self) -> String {
        if self.hint.is_empty() {
            String::new()
        } else {
            format!(", with {}", self.hint)
        }
    }
}

/// The largest compiled pattern, in bytes. It bounds the time of a search, which is linear in the sizes of pattern and reason.
const PATTERN_SIZE_MAX: usize = 64 << 10;
/// The deepest nesting of groups in a pattern.
const PATTERN_NESTING_MAX: u32 = 32;

fn compile(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(pattern)
        .size_limit(PATTERN_SIZE_MAX)
        .nest_limit(PATTERN_NESTING_MAX)
        .build();
    regex.map_err(|error| format!("`pattern` is not a regular expression: {error}"))
}
