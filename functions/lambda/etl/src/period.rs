//! Which days a dashboard shows.

use akademi_api::Problem;
use akademi_domain::time::Day;
use serde::Deserialize;

/// The most days of a period: a leap year.
const MOST_DAYS: i32 = 366;
/// How many days are shown to whoever names no first one.
const USUAL_DAYS: i32 = 30;

/// The query parameters of a dashboard.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeriodParams {
    /// The first day; without it the period has 30 days.
    #[serde(default)]
    from: Option<Day>,
    /// The last day, at most 366 with the first one; without it today.
    #[serde(default)]
    to: Option<Day>,
}

/// Days from the first to the last, both inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: Day,
    pub to: Day,
}

impl PeriodParams {
    /// # Errors
    /// 422 for a period that ends before it begins, or is too long.
    pub fn period(self, today: Day) -> Result<Period, Problem> {
        let to = self.to.unwrap_or(today);
        let from = self.from.unwrap_or(to.plus(1 - USUAL_DAYS));
        if from > to {
            return Err(Problem::field("from", format!("must not lie after {to}")));
        }
        if to.days_since(from) >= MOST_DAYS {
            return Err(Problem::field("from", format!("must lie within {MOST_DAYS} days up to {to}")));
        }
        Ok(Period { from, to })
    }
}

impl Period {
    pub fn days(self) -> impl Iterator<Item = Day> {
        (0..=self.to.days_since(self.from)).map(move |after| self.from.plus(after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_the_last_30_days_unless_said_otherwise_and_a_year_at_most() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let today = day("2026-11-21");
        let period = |from: Option<&str>, to: Option<&str>| {
            PeriodParams { from: from.map(day), to: to.map(day) }.period(today)
        };
        let usual = period(None, None).unwrap();
        assert_eq!(usual, Period { from: day("2026-10-23"), to: today });
        assert_eq!(usual.days().count(), 30);
        assert_eq!(period(None, Some("2026-01-30")).unwrap().from, day("2026-01-01"));
        assert_eq!(period(Some("2026-11-21"), None).unwrap().days().collect::<Vec<_>>(), [today]);
        assert_eq!(period(Some("2025-11-21"), None).unwrap().days().count(), 366);
        for wrong in [period(Some("2025-11-20"), None), period(Some("2026-11-22"), None)] {
            assert_eq!(wrong.unwrap_err().errors()[0].field, "from");
        }
    }
}
