//! The end of a history: nothing goes wrong any more, and all that was begun comes to its end.

use http::StatusCode;

use super::{History, Job};

/// Longer than an order waits for its money.
const UNTIL_ALL_EXPIRE: i64 = 31 * 60 * 1000;
/// Longer than a crashed request holds its key.
const UNTIL_KEYS_ARE_FREE: i64 = 61 * 1000;
const MOST_RUNS: usize = 6;

impl History<'_> {
    pub(super) async fn drain(&mut self) -> anyhow::Result<()> {
        self.note("nothing goes wrong any more".into());
        self.faultiness = 0;
        self.slowness = 0;
        self.behind.clear();
        for request in std::mem::take(&mut self.late) {
            self.arrive_late(request);
        }
        self.go_on(0).await?;

        self.world.clock.advance(UNTIL_KEYS_ARE_FREE);
        for purchase in 0..self.purchases.len() {
            if self.purchases[purchase].first.is_none() {
                self.alone(Job::Order(purchase)).await?;
            }
        }
        for n in 0..self.paytr.notifications.len() {
            if self.paytr.notifications[n].is_accepted {
                continue;
            }
            self.alone(Job::Notification(n)).await?;
            let notification = &self.paytr.notifications[n];
            if notification.is_genuine && !notification.is_accepted {
                self.violation(format!("notification {n} is not taken"));
            }
        }
        self.world.clock.advance(UNTIL_ALL_EXPIRE);
        self.alone(Job::Expiry).await?;
        for _ in 0..MOST_RUNS {
            self.alone(Job::Sync).await?;
            if self.carried == Ok(0) {
                break;
            }
        }
        if self.carried != Ok(0) {
            self.violation(format!("the feed does not come to rest: {:?}", self.carried));
        }
        for purchase in 0..self.purchases.len() {
            if self.purchases[purchase].first.is_some() {
                self.alone(Job::Order(purchase)).await?;
                if self.purchases[purchase].latest != Some(StatusCode::CREATED) {
                    let latest = self.purchases[purchase].latest;
                    self.violation(format!("purchase {purchase} is not replayed: {latest:?}"));
                }
            }
        }
        Ok(())
    }

    /// One thing, with nothing beside it.
    async fn alone(&mut self, job: Job) -> anyhow::Result<()> {
        self.run(0, job);
        self.go_on(0).await
    }
}
