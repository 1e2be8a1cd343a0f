//! Denies what happens outside the times that are set for it.

mod clock;

use checkpoint_gateway_policy::prelude::*;

use clock::{Day, Moment, Offset, Time};

/// See `schema.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    windows: Vec<Window>,
    #[serde(default)]
    utc_offset: Offset,
    #[serde(default)]
    break_glass_groups: Vec<String>,
}

/// A stretch of time on some days of the week.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Window {
    days: Vec<Day>,
    from: Time,
    to: Time,
}

/// The policy.
pub struct ChangeWindow(Settings);

impl Authorizer for ChangeWindow {
    const SCHEMA: &'static str = include_str!("../schema.json");
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        for window in &settings.windows {
            if window.days.is_empty() {
                return Err("a window has no `days`".into());
            }
            if window.from == window.to {
                return Err("a window ends when it begins: for a whole day write from 00:00 to 24:00".into());
            }
        }
        Ok(Self(settings))
    }

    fn authorize(&self, request: &Request) -> Verdict {
        let Self(settings) = self;
        let now = Moment::at(request.received_at, settings.utc_offset);
        if settings.windows.iter().any(|window| window.holds(now)) {
            return Verdict::abstain();
        }
        if !request.identity.is_in_any(&settings.break_glass_groups) {
            let message = format!("it is {now}, which is outside the times when this may be done");
            return Verdict::deny("outside-change-window", message);
        }
        if request.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
            let message = format!(
                "it is {now}: outside the change window you must give a reason (X-Checkpoint-Reason)"
            );
            return Verdict::deny("break-glass-needs-a-reason", message);
        }
        Verdict::abstain().annotated("break-glass", "true")
    }
}

export_authorizer!(ChangeWindow);

impl Window {
    /// A window that ends before it begins goes on until the next day, which need not be among its days.
    fn holds(&self, now: Moment) -> bool {
        let begins_today = self.days.contains(&now.day);
        if self.from < self.to {
            return begins_today && self.from <= now.time && now.time < self.to;
        }
        let began_yesterday = self.days.contains(&now.day.before());
        (begins_today && self.from <= now.time) || (began_yesterday && now.time < self.to)
    }
}
