use anyhow::{Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use gateway_audit::Entry;
use gateway_core::{Action, Record};
use jiff::Timestamp;

use super::facts::Facts;
use crate::terminal::shown;

/// Which records are wanted: those that fit all of it.
#[derive(Args, Default)]
pub(super) struct Filter {
    /// Of this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// About this namespace.
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// About this pod.
    #[arg(long, value_name = "NAME")]
    pod: Option<String>,
    /// About this container.
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// Of this action.
    #[arg(long, value_parser = actions())]
    action: Option<Action>,
    /// Where policies came to this.
    #[arg(long, value_enum)]
    verdict: Option<Verdict>,
    /// With this error code.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Then or later: a time as 2026-03-01T10:00:00Z, a day as 2026-03-01 (UTC), or 90s, 15m, 2h, 7d ago.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Before then.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// Of this request.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(gateway_core::RequestId))]
    request_id: Option<gateway_core::RequestId>,
    /// Of this trace.
    #[arg(long, value_name = "ID", value_parser = trace_id)]
    trace_id: Option<gateway_core::TraceId>,
    /// About this checkpoint.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(gateway_core::CheckpointId))]
    checkpoint: Option<gateway_core::CheckpointId>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verdict {
    Allow,
    Deny,
}

impl Filter {
    pub(super) fn takes(&self, record: &Record) -> bool {
        let facts = Facts::of(record);
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| found == Some(wanted.as_str()))
        };
        self.takes_ids(record, &facts)
            && same(&self.user, facts.user)
            && same(
                &self.namespace,
                facts.target.map(gateway_core::Target::namespace),
            )
            && same(&self.pod, facts.target.map(gateway_core::Target::pod))
            && same(
                &self.container,
                facts.target.map(gateway_core::Target::container),
            )
            && same(
                &self.code,
                facts.outcome.and_then(|outcome| outcome.code.as_deref()),
            )
            && self
                .action
                .is_none_or(|action| facts.action == Some(action))
            && self
                .verdict
                .is_none_or(|verdict| facts.allowed() == Some(verdict == Verdict::Allow))
    }

    fn takes_ids(&self, record: &Record, facts: &Facts<'_>) -> bool {
        self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at < until)
            && self.request_id.is_none_or(|id| record.request_id == id)
            && self.trace_id.is_none_or(|id| record.trace_id == Some(id))
            && self
                .checkpoint
                .is_none_or(|id| facts.checkpoint_id == Some(id))
    }
}

/// What a filter that nothing fits may have meant: the nearest of what there is, for each text that is wanted.
#[derive(Default)]
pub(super) struct Meant(Vec<(&'static str, f64, String)>);

impl Meant {
    /// How alike two texts must be for one to be meant by the other.
    const ALIKE: f64 = 0.8;

    pub(super) fn look(&mut self, filter: &Filter, entry: &Entry) {
        let facts = Facts::of(&entry.record);
        let target = facts.target;
        let code = facts.outcome.and_then(|outcome| outcome.code.as_deref());
        for (option, wanted, found) in [
            ("--user", &filter.user, facts.user),
            (
                "--namespace",
                &filter.namespace,
                target.map(gateway_core::Target::namespace),
            ),
            ("--pod", &filter.pod, target.map(gateway_core::Target::pod)),
            (
                "--container",
                &filter.container,
                target.map(gateway_core::Target::container),
            ),
            ("--code", &filter.code, code),
        ] {
            if let (Some(wanted), Some(found)) = (wanted, found) {
                self.compare(option, wanted, found);
            }
        }
    }

    fn compare(&mut self, option: &'static str, wanted: &str, found: &str) {
        let alike = if wanted == found {
            2.0
        } else {
            strsim::jaro_winkler(wanted, found)
        };
        match self.0.iter_mut().find(|(known, ..)| *known == option) {
            Some((_, best, text)) if alike > *best => {
                *best = alike;
                found.clone_into(text);
            }
            Some(_) => {}
            None => self.0.push((option, alike, found.to_owned())),
        }
    }

    /// Nothing fits.
    pub(super) fn told(&self) -> String {
        let near = |(option, alike, text): &(&str, f64, String)| {
            let meant = (Self::ALIKE..1.5).contains(alike);
            meant.then(|| format!("; did you mean `{option} {}`?", shown(text, 80)))
        };
        let near: String = self.0.iter().filter_map(near).collect();
        format!("no record fits{near}")
    }
}

fn actions() -> impl TypedValueParser<Value = Action> {
    PossibleValuesParser::new(Action::ALL.map(Action::as_str)).try_map(|word| {
        Action::ALL
            .into_iter()
            .find(|action| action.as_str() == word)
            .ok_or("there is no such action")
    })
}

fn trace_id(text: &str) -> Result<gateway_core::TraceId, gateway_core::ParseIdError> {
    text.to_owned().try_into()
}

fn time(text: &str) -> Result<Timestamp> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    if let Ok(time) = format!("{text}T00:00:00Z").parse() {
        return Ok(time);
    }
    let Some(ago) = ago(text).and_then(|seconds| Timestamp::now().as_second().checked_sub(seconds))
    else {
        bail!("use a time as 2026-03-01T10:00:00Z, a day as 2026-03-01, or 90s, 15m, 2h, 7d ago");
    };
    Ok(Timestamp::from_second(ago)?)
}

/// The seconds of `90s`, `15m`, `2h` or `7d`.
fn ago(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    i64::from(number).checked_mul(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(
            time("2026-03-01").unwrap(),
            time("2026-03-01T00:00:00Z").unwrap()
        );
        let two_hours = Timestamp::now().as_second() - time("2h").unwrap().as_second();
        assert!((7200..7300).contains(&two_hours), "{two_hours}");
        for no in [
            "",
            "h",
            "2w",
            "-1h",
            "yesterday",
            "2026-13-01",
            "99999999999d",
        ] {
            assert!(time(no).is_err(), "{no}");
        }
    }
}
