//! The nightly run over all academies.

use akademi_domain::{
    ids::TenantId,
    time::{Day, Timestamp},
};
use akademi_lambda_store::error::StoreError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::{Etl, retention, runs, store};

/// How far back a night looks for days that no run has finished.
const CATCH_UP_DAYS: i32 = 31;
/// How many days are derived again each night, since their facts may have arrived late: a device that was offline, an
/// edge that `sync` could not reach.
const LATE_DAYS: i32 = 7;

/// What the schedule sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleEvent {
    /// This day alone; without it every day that is due.
    #[serde(default)]
    pub day: Option<Day>,
}

/// What a night did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Night {
    pub academies: usize,
    /// Days that were derived, of all academies together.
    pub days: usize,
    pub rows_changed: i64,
    /// Rows whose time was over.
    pub rows_deleted: u64,
    /// Objects in storage of academies that are deleted for good.
    pub files_deleted: u64,
    /// What could not be derived; everything else was.
    pub failures: Vec<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Null where it concerns all of them.
    pub tenant: Option<TenantId>,
    /// The day that was not derived; null if its academy's days could not be listed, or what is due could not be deleted.
    pub day: Option<Day>,
    /// For the log.
    pub cause: String,
}

impl Etl {
    /// One run over all academies. May be killed anywhere, repeated, and run twice at once.
    ///
    /// # Errors
    /// When the academies cannot be listed; what breaks in one of them stands in [`Night::failures`].
    pub async fn handle(&self, event: ScheduleEvent) -> Result<Night, StoreError> {
        let yesterday = self.ports.now().day_in_istanbul().plus(-1);
        let mut platform = self.postgres.platform().await?;
        let deleted = platform.deleted_academies().await?;
        let mut academies = platform.tenants().await?;
        academies.retain(|academy| !deleted.contains(academy));
        platform.rollback().await?;
        let mut night = Night { academies: academies.len(), ..Night::default() };
        for tenant in academies {
            let failure =
                |day, error: StoreError| Failure { tenant: Some(tenant), day, cause: error.with_source() };
            let days = match event.day {
                Some(day) => Ok(vec![day]),
                None => self.due_days(tenant, yesterday).await,
            };
            let days = days.unwrap_or_else(|error| {
                night.failures.push(failure(None, error));
                Vec::new()
            });
            for day in days {
                match runs::derive(&self.postgres, &self.ports, tenant, day).await {
                    Ok(run) => {
                        night.days += 1;
                        night.rows_changed += run.rows_changed;
                    }
                    Err(error) => night.failures.push(failure(Some(day), error)),
                }
            }
            if event.day.is_none()
                && let Err(error) = retention::tell_edge(&self.postgres, tenant, self.ports.now()).await
            {
                night.failures.push(failure(None, error));
            }
        }
        if event.day.is_none() {
            for tenant in deleted {
                match retention::delete_academy(&self.postgres, tenant).await {
                    Ok(rows) => night.rows_deleted += rows,
                    Err(error) => {
                        let cause = error.with_source();
                        night.failures.push(Failure { tenant: Some(tenant), day: None, cause });
                    }
                }
                match retention::delete_files(&self.objects, tenant).await {
                    Ok(files) => night.files_deleted += files,
                    Err(error) => {
                        let cause = error.with_source();
                        night.failures.push(Failure { tenant: Some(tenant), day: None, cause });
                    }
                }
            }
            match retention::delete_what_is_due(&self.postgres, self.ports.now()).await {
                Ok(rows) => night.rows_deleted += rows,
                Err(error) => {
                    night.failures.push(Failure { tenant: None, day: None, cause: error.with_source() });
                }
            }
            let now = self.ports.now();
            match retention::delete_abandoned_uploads(&self.postgres, &self.objects, now).await {
                Ok(uploads) => night.rows_deleted += uploads,
                Err(error) => {
                    night.failures.push(Failure { tenant: None, day: None, cause: error.with_source() });
                }
            }
            match retention::delete_unused_pictures(&self.postgres, &self.objects, now).await {
                Ok(pictures) => night.rows_deleted += pictures,
                Err(error) => {
                    night.failures.push(Failure { tenant: None, day: None, cause: error.with_source() });
                }
            }
            if let Some(wake) = &self.wake {
                wake.wake();
            }
        }
        Ok(night)
    }

    async fn due_days(&self, tenant: TenantId, yesterday: Day) -> Result<Vec<Day>, StoreError> {
        let mut tx = self.postgres.tenant(tenant).await?;
        let finished = store::finished_runs(&mut tx, yesterday.plus(1 - CATCH_UP_DAYS)).await?;
        let late = store::days_with_new_facts(&mut tx, yesterday).await?;
        tx.commit().await?;
        Ok(due_days(yesterday, &finished, &late))
    }
}

/// The days to derive, the oldest first: the last ones in any case, earlier ones that no run finished after they had
/// ended, and those of which facts have come since, whatever their age. `finished` is when each day's last run did.
fn due_days(yesterday: Day, finished: &[(Day, Timestamp)], late: &[Day]) -> Vec<Day> {
    let is_finished = |day: Day| {
        let end = day.plus(1).start_in_istanbul();
        finished.iter().any(|(ran, finished_at)| *ran == day && *finished_at >= end)
    };
    let earlier = (LATE_DAYS..CATCH_UP_DAYS).rev().map(|ago| yesterday.plus(-ago));
    let last = (0..LATE_DAYS).rev().map(|ago| yesterday.plus(-ago));
    let missed = earlier.filter(|day| !is_finished(*day));
    missed.chain(last).chain(late.iter().copied()).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const YESTERDAY: Day = Day::from_epoch_days(20_000);

    fn at_night_after(day: Day) -> (Day, Timestamp) {
        (day, day.plus(1).start_in_istanbul())
    }

    #[test]
    fn a_run_at_noon_does_not_finish_its_day() {
        let day = YESTERDAY.plus(-LATE_DAYS);
        let mut runs: Vec<_> = (0..CATCH_UP_DAYS).map(|ago| at_night_after(YESTERDAY.plus(-ago))).collect();
        assert_eq!(due_days(YESTERDAY, &runs, &[]).len(), LATE_DAYS as usize);
        let noon = day.start_in_istanbul().plus_seconds(12 * 60 * 60);
        runs.iter_mut().find(|(ran, _)| *ran == day).unwrap().1 = noon;
        let due = due_days(YESTERDAY, &runs, &[]);
        assert_eq!((due.len(), due[0]), (LATE_DAYS as usize + 1, day));
    }

    proptest! {
        #[test]
        fn every_day_of_a_month_is_finished_or_due_and_in_order(
            missed in proptest::collection::vec(0..CATCH_UP_DAYS, 0..31),
            late in proptest::collection::vec(0..200, 0..5),
        ) {
            let runs: Vec<_> = (0..CATCH_UP_DAYS)
                .filter(|ago| !missed.contains(ago))
                .map(|ago| at_night_after(YESTERDAY.plus(-ago)))
                .collect();
            let late_days: Vec<_> = late.iter().map(|ago| YESTERDAY.plus(-ago)).collect();
            let due = due_days(YESTERDAY, &runs, &late_days);
            prop_assert!(due.is_sorted_by(|a, b| a < b));
            for ago in 0..200 {
                let expected = ago < LATE_DAYS || missed.contains(&ago) || late.contains(&ago);
                prop_assert_eq!(due.contains(&YESTERDAY.plus(-ago)), expected);
            }
        }
    }
}
