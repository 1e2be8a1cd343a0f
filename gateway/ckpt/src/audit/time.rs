//! Parses points in time as people write them.

use anyhow::{Context, Result, ensure};
use jiff::{Span, SpanRelativeTo, Timestamp};

const EXPECTED: &str = "use a time such as 2026-03-01T10:00:00Z, a day such as 2026-03-01, or a duration such as 90s, 15m, 2h, 7d";

/// A time, the beginning of a day in UTC, or a duration before now.
pub(super) fn parse(text: &str) -> Result<Timestamp> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    if let Ok(time) = format!("{text}T00:00:00Z").parse() {
        return Ok(time);
    }
    let ago: Span = text.parse().ok().context(EXPECTED)?;
    ensure!(!ago.is_negative() && !text.starts_with('-'), EXPECTED);
    let ago = ago
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .context(EXPECTED)?;
    Timestamp::now().checked_sub(ago).context(EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_times_days_and_durations() {
        let day = parse("2026-03-01").unwrap();
        assert_eq!(day, parse("2026-03-01T00:00:00Z").unwrap());
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1h 30m", 5400), ("7d", 604_800)] {
            let ago = Timestamp::now().as_second() - parse(text).unwrap().as_second();
            assert!((seconds..seconds + 100).contains(&ago), "{text}: {ago}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for wrong in [
            "",
            "h",
            "7",
            "-1h",
            "1mo",
            "yesterday",
            "2026-13-01",
            "99999999999d",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
