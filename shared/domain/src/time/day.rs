//! Calendar days, and which of them a moment belongs to.

use chrono::{Datelike, NaiveDate};
use jiff::{Span, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

use crate::time::{Timestamp, YEARS};

const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

/// How far Europe/Istanbul is ahead of UTC: three hours all year round since September 2016 (tz database), before the
/// first day that Akademi knows of.
const ISTANBUL_AHEAD_MILLIS: i64 = 3 * 60 * 60 * 1000;

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// 1970-01-01 as days of the proleptic Gregorian calendar, 0001-01-01 being the first.
const EPOCH_FROM_CE: i32 = 719_163;

/// Text that is no day from 1970-01-01 to 9999-12-31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a day as 2026-11-21")]
pub struct InvalidDay;

/// A calendar day, as days since 1970-01-01; written as ISO 8601 has it (`2026-11-21`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = Date, example = "2026-11-21")]
pub struct Day(i32);

impl Day {
    pub const fn from_epoch_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub const fn epoch_days(self) -> i32 {
        self.0
    }

    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Days from `earlier` to this one; negative if it lies later.
    pub const fn days_since(self, earlier: Self) -> i32 {
        self.0.saturating_sub(earlier.0)
    }

    /// The day's first moment in Istanbul; it lasts to the first one of the day after.
    pub const fn start_in_istanbul(self) -> Timestamp {
        Timestamp::from_millis(self.0 as i64 * MILLIS_PER_DAY - ISTANBUL_AHEAD_MILLIS)
    }

    /// The same day as a calendar's; `None` beyond the years that it has (-9999 to 9999).
    pub fn date(self) -> Option<Date> {
        EPOCH.checked_add(Span::new().try_days(self.0).ok()?).ok()
    }
}

impl Timestamp {
    /// The calendar day that clocks in Istanbul show at this moment. Every academy's days are those, for all that is
    /// counted or dated by day.
    pub fn day_in_istanbul(self) -> Day {
        let days = self.as_millis().saturating_add(ISTANBUL_AHEAD_MILLIS).div_euclid(MILLIS_PER_DAY);
        Day(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By chrono, which moments are written by too: jiff's parser and spans cost a component more than 100 KB.
        let date = self.0.checked_add(EPOCH_FROM_CE).and_then(NaiveDate::from_num_days_from_ce_opt);
        match date.filter(|date| YEARS.contains(&date.year())) {
            Some(date) => write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        let mut parts = text.split('-');
        let mut part = || parts.next().and_then(|part| part.parse::<u16>().ok()).ok_or(InvalidDay);
        let (year, month, day) = (part()?, part()?, part()?);
        let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into()).ok_or(InvalidDay)?;
        let day = Self(date.num_days_from_ce() - EPOCH_FROM_CE);
        // One spelling is enough for an API.
        if day.0 >= 0 && day.to_string() == text { Ok(day) } else { Err(InvalidDay) }
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        serde_json::from_str(&format!("\"{text}\"")).unwrap()
    }

    #[test]
    fn a_day_begins_at_midnight_in_istanbul() {
        let day: Day = "2026-11-21".parse().unwrap();
        assert_eq!(day.start_in_istanbul(), moment("2026-11-21T00:00:00+03:00"));
        assert_eq!(day.start_in_istanbul(), moment("2026-11-20T21:00:00Z"));
        assert_eq!(moment("2026-11-20T21:00:00Z").day_in_istanbul(), day);
        assert_eq!(moment("2026-11-21T20:59:59.999Z").day_in_istanbul(), day);
        assert_eq!(moment("2026-11-20T20:59:59.999Z").day_in_istanbul(), day.plus(-1));
        assert_eq!(moment("2026-07-21T22:00:00Z").day_in_istanbul().to_string(), "2026-07-22");
        let before_all = Timestamp::from_millis(i64::MIN).day_in_istanbul();
        assert_eq!((before_all, before_all.to_string()), (Day(i32::MIN), i32::MIN.to_string()));
    }

    #[test]
    fn a_day_is_written_and_read_as_iso_8601() {
        let day: Day = "2024-02-29".parse().unwrap();
        assert_eq!(serde_json::to_string(&day).unwrap(), "\"2024-02-29\"");
        assert_eq!(serde_json::from_str::<Day>("\"2024-02-29\"").unwrap(), day);
        assert_eq!(day.plus(1).to_string(), "2024-03-01");
        assert_eq!(day.plus(1).days_since(day), 1);
        assert_eq!("9999-12-31".parse(), Ok(Day(2_932_896)));
        assert_eq!("1970-01-01".parse(), Ok(Day(0)));
        let wrong = [
            "",
            "2026-02-29",
            "20261121",
            "2026-11-21T00:00:00Z",
            "2026-11-21T00:00:00",
            "1969-12-31",
            "-002026-11-21",
            "21.11.2026",
            "2026-W47-6",
        ];
        for text in wrong {
            assert_eq!(text.parse::<Day>(), Err(InvalidDay), "{text}");
        }
    }
}
