//! Denies requests outside of the configured change windows.

mod clock;

use checkpoint_gateway_policy::prelude::*;

use clock::{Day, Offset, Time, WeekTime};

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

/// A period on some days of the week.
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
                return Err(
                    "a window has equal `from` and `to`: write 00:00 and 24:00 for a whole day"
                        .into(),
                );
            }
        }
        Ok(Self(settings))
    }

    fn authorize(&self, request: &Request) -> Verdict {
        let Self(settings) = self;
        let now = WeekTime::at(request.received_at, settings.utc_offset);
        if settings.windows.iter().any(|window| window.contains(now)) {
            return Verdict::abstain();
        }
        if !request.identity.is_in_any(&settings.break_glass_groups) {
            let message = format!("it is {now}, which is outside of the change windows");
            return Verdict::deny("outside-change-window", message);
        }
        if request
            .reason
            .as_deref()
            .is_none_or(|reason| reason.trim().is_empty())
        {
            let message = format!(
                "it is {now}: outside of the change windows a reason is required (X-Checkpoint-Reason)"
            );
            return Verdict::deny("break-glass-needs-a-reason", message);
        }
        Verdict::abstain().annotated("break-glass", "true")
    }
}

export_authorizer!(ChangeWindow);

impl Window {
    /// Whether `now` is in the window. If `to` is earlier than `from`, the window ends on the next day, which need not be among
    /// its days.
    fn contains(&self, now: WeekTime) -> bool {
        let starts_today = self.days.contains(&now.day);
        if self.from < self.to {
            return starts_today && self.from <= now.time && now.time < self.to;
        }
        let started_yesterday = self.days.contains(&now.day.previous());
        (starts_today && self.from <= now.time) || (started_yesterday && now.time < self.to)
    }
}
