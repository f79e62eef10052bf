//! The end of a history: nothing goes wrong any more, and all that was begun comes to its end.

use http::StatusCode;

use super::{History, Job, asking::Wanted, begin::A_NIGHT};

/// Longer than an order waits for its money, and longer than the provider is not asked about it.
const UNTIL_ALL_EXPIRE: i64 = 36 * 60 * 1000;
/// Longer than a crashed request holds its key.
const UNTIL_KEYS_ARE_FREE: i64 = 61 * 1000;
/// Longer than a refund waits before it is looked at again, and before it counts as never booked.
const UNTIL_REFUNDS_ARE_DUE: i64 = 61 * 60 * 1000;
const MOST_RUNS: usize = 6;
/// What a night finds may have money go back, which the next one finds.
const MOST_NIGHTS: usize = 3;

impl History<'_> {
    pub(super) async fn drain(&mut self) -> anyhow::Result<()> {
        self.note("nothing goes wrong any more".into());
        self.faultiness = 0;
        self.slowness = 0;
        self.behind.clear();
        self.providers.be_honest();
        for attempt in self.providers.in_review_since(self.world.ports.now().as_millis()) {
            self.end_review(attempt);
        }
        for (_, request) in std::mem::take(&mut self.late) {
            self.arrive_late(request);
        }
        self.go_on(0).await?;

        self.world.clock.advance(UNTIL_KEYS_ARE_FREE);
        self.ask_until_answered(Wanted::Order).await?;
        for n in 0..self.providers.notifications.len() {
            let notification = &self.providers.notifications[n];
            if notification.is_taken || notification.is_given_up() {
                continue;
            }
            self.alone(Job::Notification(n)).await?;
            let notification = &self.providers.notifications[n];
            if notification.is_genuine && !notification.is_taken {
                self.violation(format!("notification {n} is not taken"));
            }
        }
        self.ask_until_answered(Wanted::Refund).await?;
        self.world.clock.advance(UNTIL_ALL_EXPIRE);
        self.alone(Job::Expiry).await?;
        self.until_rest(Job::Inquire, 0).await?;
        self.until_rest(Job::Resolve, UNTIL_REFUNDS_ARE_DUE).await?;
        for _ in 0..MOST_NIGHTS {
            self.world.clock.advance(A_NIGHT);
            self.until_rest(Job::Inquire, 0).await?;
            // A night that is called twice at once is one.
            self.run(1, Job::Reconcile);
            self.until_rest(Job::Reconcile, 0).await?;
            if self.until_rest(Job::Resolve, UNTIL_REFUNDS_ARE_DUE).await? == 0 {
                break;
            }
        }
        self.until_rest(Job::Sync, 0).await?;
        for n in 0..self.asked.len() {
            if self.asked[n].first.is_some() {
                self.alone(Job::Ask(n)).await?;
                if self.asked[n].latest != Some(StatusCode::CREATED) {
                    let (what, latest) = (self.asked[n].what, self.asked[n].latest);
                    self.violation(format!("{what:?} {n} is not replayed: {latest:?}"));
                }
            }
        }
        Ok(())
    }

    async fn ask_until_answered(&mut self, what: Wanted) -> anyhow::Result<()> {
        for n in 0..self.asked.len() {
            if self.asked[n].what == what && self.asked[n].first.is_none() {
                self.alone(Job::Ask(n)).await?;
            }
        }
        Ok(())
    }

    /// Runs a job, each time so many milliseconds later, until it finds nothing to do; how much that was in all.
    async fn until_rest(&mut self, job: Job, millis: i64) -> anyhow::Result<usize> {
        let mut done = 0;
        for _ in 0..MOST_RUNS {
            self.world.clock.advance(millis);
            self.alone(job).await?;
            match self.came_to {
                Ok(0) => return Ok(done),
                Ok(found) => done += found,
                Err(_) => {}
            }
        }
        self.violation(format!("{job:?} does not come to rest: {:?}", self.came_to));
        Ok(done)
    }

    /// One thing, with nothing beside it.
    async fn alone(&mut self, job: Job) -> anyhow::Result<()> {
        self.run(0, job);
        self.go_on(0).await
    }
}
