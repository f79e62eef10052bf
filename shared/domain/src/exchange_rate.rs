//! What another currency is worth in lira.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr};

/// How old a day's rate may be where a later day has none. The central bank lists none on holidays, of which a bayram with
/// the weekends beside it makes nine in a row.
pub const MAX_AGE_DAYS: i32 = 10;

/// Ten-thousandths in one.
const ONE: i64 = 10_000;
const MAX_TEN_THOUSANDTHS: i64 = 1_000_000 * ONE - 1;

/// A decimal that is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a rate above 0 and below 1000000 with at most four decimals, as 41.2345")]
pub struct InvalidExchangeRate;

/// How many TRY one unit of a currency is, to four decimals as the central bank's list has it; written as a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = String, pattern = r"^[0-9]{1,6}(\.[0-9]{1,4})?$", example = "41.2345")]
pub struct ExchangeRate(i64);

impl ExchangeRate {
    /// # Errors
    /// [`InvalidExchangeRate`] for none that is above 0 and below a million.
    pub fn from_ten_thousandths(ten_thousandths: i64) -> Result<Self, InvalidExchangeRate> {
        if (1..=MAX_TEN_THOUSANDTHS).contains(&ten_thousandths) {
            Ok(Self(ten_thousandths))
        } else {
            Err(InvalidExchangeRate)
        }
    }

    /// 41.2345 is 412,345.
    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }
}

impl FromStr for ExchangeRate {
    type Err = InvalidExchangeRate;

    fn from_str(text: &str) -> Result<Self, InvalidExchangeRate> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let fits = |digits: &str, most| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !fits(whole, 6) || !fits(decimals, 4) {
            return Err(InvalidExchangeRate);
        }
        let whole: i64 = whole.parse().map_err(|_| InvalidExchangeRate)?;
        let decimals: i64 = format!("{decimals:0<4}").parse().map_err(|_| InvalidExchangeRate)?;
        Self::from_ten_thousandths(whole * ONE + decimals)
    }
}

impl fmt::Display for ExchangeRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}", self.0 / ONE, self.0 % ONE)
    }
}

impl Serialize for ExchangeRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ExchangeRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_read_to_the_ten_thousandth_and_nothing_else_is() {
        for (text, ten_thousandths) in [
            ("41.2345", 412_345),
            ("41", 410_000),
            ("41.2", 412_000),
            ("0.0001", 1),
            ("999999.9999", 9_999_999_999),
        ] {
            let rate: ExchangeRate = text.parse().unwrap();
            assert_eq!(rate.ten_thousandths(), ten_thousandths, "{text}");
        }
        for text in [
            "", "0", "0.0000", "41.", ".5", "41,2345", "41.23456", "1000000", "-1", "+1", "1e3", " 1", "٤١",
            "NaN",
        ] {
            assert_eq!(text.parse::<ExchangeRate>(), Err(InvalidExchangeRate), "{text}");
        }
        assert!(serde_json::from_str::<ExchangeRate>("41.2345").is_err(), "a float is none");
        assert!(ExchangeRate::from_ten_thousandths(0).is_err());
    }

    proptest! {
        #[test]
        fn a_rate_reads_back_as_it_was_written(ten_thousandths in 1..=MAX_TEN_THOUSANDTHS) {
            let rate = ExchangeRate::from_ten_thousandths(ten_thousandths).unwrap();
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
            let json = serde_json::to_string(&rate).unwrap();
            prop_assert_eq!(serde_json::from_str::<ExchangeRate>(&json).unwrap(), rate);
        }
    }
}
