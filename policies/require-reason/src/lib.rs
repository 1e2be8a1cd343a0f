//! Denies what the caller gives no proper reason for.

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
        Self { pattern: None, hint: None, min_length: 10 }
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
            return Err(format!("`min-length` is more than {REASON_MAX}: no reason would do"));
        }
        let ticket = settings.pattern.as_deref().map(compile).transpose()?;
        if ticket.as_ref().is_some_and(|ticket| ticket.is_match("")) {
            return Err("`pattern` matches the empty text, so it would find a ticket everywhere".into());
        }
        let hint = settings.hint.or(settings.pattern.map(|pattern| format!("what matches `{pattern}`")));
        Ok(Self { ticket, hint: hint.unwrap_or_default(), min_length: settings.min_length })
    }

    fn authorize(&self, request: &Request) -> Verdict {
        let reason = request.reason.as_deref().unwrap_or_default().trim();
        if reason.is_empty() {
            return Verdict::deny(
                "reason-missing",
                format!("give a reason in X-Checkpoint-Reason{}", self.wish()),
            );
        }
        if reason.chars().count() < self.min_length {
            let message = format!("the reason is too short: give at least {} characters", self.min_length);
            return Verdict::deny("reason-too-short", message);
        }
        let Some(ticket) = &self.ticket else { return Verdict::abstain() };
        match ticket.find(reason) {
            Some(found) => Verdict::abstain().annotated("ticket", found.as_str()),
            None => Verdict::deny("reason-without-ticket", format!("the reason lacks {}", self.hint)),
        }
    }
}

export_authorizer!(RequireReason);

/// Nobody writes a longer one into a header.
const REASON_MAX: usize = 1024;

impl RequireReason {
    /// What the reason must hold, for those who gave none at all.
    fn wish(&self) -> String {
        if self.hint.is_empty() { String::new() } else { format!(", with {}", self.hint) }
    }
}

/// A bound on size bounds the time that a search takes: it is linear in both lengths.
fn compile(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(pattern).size_limit(64 << 10).nest_limit(32).build();
    regex.map_err(|error| format!("`pattern` is no regular expression: {error}"))
}
