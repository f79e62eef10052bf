//! Moments as milliseconds since 1970-01-01T00:00:00Z, written as RFC 3339 in UTC; days.

mod day;

use chrono::{DateTime, Datelike, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, ops::RangeInclusive};

pub use day::{Day, InvalidDay};

/// The years that RFC 3339 can write.
const YEARS: RangeInclusive<i32> = 0..=9999;

/// A moment, in whole milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down, as JWT's NumericDate takes them.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Milliseconds from `earlier` to this moment; negative if it lies later.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, with as many fractional digits as are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(moment) =
            DateTime::from_timestamp_millis(self.0).filter(|moment| YEARS.contains(&moment.year()))
        else {
            return write!(f, "{}", self.0);
        };
        let mut text = *b"0000-00-00T00:00:00.000";
        let fields = [
            (0, 4, moment.year().unsigned_abs()),
            (5, 2, moment.month()),
            (8, 2, moment.day()),
            (11, 2, moment.hour()),
            (14, 2, moment.minute()),
            (17, 2, moment.second()),
            (20, 3, moment.timestamp_subsec_millis()),
        ];
        for (start, digits, mut value) in fields {
            for digit in text.iter_mut().skip(start).take(digits).rev() {
                *digit = b'0' + (value % 10) as u8;
                value /= 10;
            }
        }
        let text = std::str::from_utf8(&text).map_err(|_| fmt::Error)?;
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))?;
        f.write_str("Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|moment| Self(moment.timestamp_millis()))
            .map_err(|_| de::Error::custom("is not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_rfc_3339_in_utc() {
        let moment = Timestamp::from_millis(1_790_000_000_250);
        assert_eq!(moment.to_string(), "2026-09-21T14:13:20.25Z");
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (100, "1970-01-01T00:00:00.1Z"),
            (1_709_164_800_001, "2024-02-29T00:00:00.001Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), text);
            assert_eq!(serde_json::from_str::<Timestamp>(&format!("{text:?}")).unwrap().as_millis(), millis);
        }
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), i64::MAX.to_string(), "beyond RFC 3339");
        let json = serde_json::to_string(&moment).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), moment);
        let with_offset: Timestamp = serde_json::from_str("\"2026-09-21T17:13:20.25+03:00\"").unwrap();
        assert_eq!(with_offset, moment);
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
    }
}
