//! Weekdays and times of day.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

const MINUTES_A_DAY: i64 = 24 * 60;

/// A day of the week.
#[derive(Deserialize, Clone, Copy, PartialEq, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Minutes since midnight, up to 24:00.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub(crate) struct Time(i64);

/// An offset from UTC in minutes. It is fixed: summer time would need a table of time zones.
#[derive(Clone, Copy, Default)]
pub(crate) struct Offset(i64);

/// A day of the week and a time of day.
#[derive(Clone, Copy)]
pub(crate) struct WeekTime {
    pub(crate) day: Day,
    pub(crate) time: Time,
    offset: Offset,
}

impl Day {
    const WEEK: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// The weekday of a day, which is counted from the Unix epoch, a Thursday.
    fn since_epoch(days: i64) -> Self {
        let index = usize::try_from((days + 3).rem_euclid(7)).unwrap_or_default();
        Self::WEEK.get(index).copied().unwrap_or(Self::Mon)
    }

    /// The previous day.
    pub(crate) fn previous(self) -> Self {
        let days = Self::WEEK.iter().zip(Self::WEEK.iter().cycle().skip(6));
        days.into_iter()
            .find(|(day, _)| **day == self)
            .map_or(self, |(_, previous)| *previous)
    }
}

impl WeekTime {
    /// The local time `milliseconds` after the Unix epoch.
    pub(crate) fn at(milliseconds: u64, offset: Offset) -> Self {
        let minutes = i64::try_from(milliseconds / 60_000)
            .unwrap_or(i64::MAX)
            .saturating_add(offset.0);
        Self {
            day: Day::since_epoch(minutes.div_euclid(MINUTES_A_DAY)),
            time: Time(minutes.rem_euclid(MINUTES_A_DAY)),
            offset,
        }
    }
}

impl fmt::Display for WeekTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { day, time, offset } = self;
        write!(f, "{day:?} {:02}:{:02}", time.0 / 60, time.0 % 60)?;
        if offset.0 == 0 {
            return f.write_str(" UTC");
        }
        let sign = if offset.0 < 0 { '-' } else { '+' };
        write!(
            f,
            " UTC{sign}{:02}:{:02}",
            offset.0.abs() / 60,
            offset.0.abs() % 60
        )
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let minutes = minutes(&text).filter(|minutes| *minutes <= MINUTES_A_DAY);
        minutes.map(Self).ok_or_else(|| {
            D::Error::custom(format_args!(
                "`{text}` is not a time of day: write it like 09:30"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = match text.split_at_checked(1) {
            Some(("+", time)) => minutes(time),
            Some(("-", time)) => minutes(time).map(|minutes| -minutes),
            _ => None,
        };
        // All offsets in use are between -12:00 and +14:00.
        let offset = parsed.filter(|minutes| (-12 * 60..=14 * 60).contains(minutes));
        offset.map(Self).ok_or_else(|| {
            D::Error::custom(format_args!(
                "`{text}` is not a UTC offset: write it like +01:00"
            ))
        })
    }
}

/// Parses `HH:MM`.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| {
        let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        two.then(|| digits.parse::<i64>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_to_local_weekday_and_time() {
        // 2026-03-01 was a Sunday.
        let late_on_sunday = 1_772_407_800_000;
        assert_eq!(
            WeekTime::at(late_on_sunday, Offset(0)).to_string(),
            "Sun 23:30 UTC"
        );
        assert_eq!(
            WeekTime::at(late_on_sunday, Offset(60)).to_string(),
            "Mon 00:30 UTC+01:00"
        );
        assert_eq!(
            WeekTime::at(0, Offset(-90)).to_string(),
            "Wed 22:30 UTC-01:30"
        );
        assert_eq!(
            WeekTime::at(u64::MAX, Offset(60)).time,
            WeekTime::at(u64::MAX, Offset(60)).time
        );
    }

    #[test]
    fn every_day_follows_its_previous_day() {
        for days in 0..7 {
            assert_eq!(
                Day::since_epoch(days + 1).previous(),
                Day::since_epoch(days)
            );
        }
    }

    #[test]
    fn accepts_only_hh_mm() {
        assert_eq!(minutes("09:30"), Some(570));
        assert_eq!(minutes("24:00"), Some(1440));
        for wrong in [
            "9:30", "09:60", "0930", "+9:30", "09:3", "09:30:00", "", ":", "ä9:30",
        ] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
    }
}
