//! Many at once: the counts hold, and would not if a change and its count were two steps.

use akademi_edge_store::{Database, Edge, Rows, Statement, StoreError};
use futures::{
    executor::block_on,
    future::{BoxFuture, join_all, poll_fn},
};
use http::Method;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use crate::{
    figures::WRONG,
    world::{ISIK, LEARNERS, UMRANIYE, World, administrator, learner, router, send},
};

/// Lets the others go on, once.
async fn give_way() {
    let has_waited = AtomicBool::new(false);
    poll_fn(|context| {
        if has_waited.swap(true, Ordering::Relaxed) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The store, whose requests give way to each other before whatever they ask.
struct Crowded {
    engine: Arc<dyn Database>,
    /// Whether each statement of a batch is a step of its own: what holds them together is taken away.
    is_torn: bool,
}

impl Database for Crowded {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async move {
            give_way().await;
            self.engine.query(statement).await
        })
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        Box::pin(async move {
            give_way().await;
            if !self.is_torn {
                return self.engine.batch(statements).await;
            }
            let mut rows = Vec::new();
            for statement in statements {
                rows.extend(self.engine.batch(vec![statement]).await?);
                give_way().await;
            }
            Ok(rows)
        })
    }
}

/// Courses with wrong figures after each learner has written, changed, liked and deleted at once, beside staff that hides.
fn wrong_after_a_crowd(is_torn: bool) -> i64 {
    let world = World::new();
    let reviews: Vec<_> = (1..=LEARNERS).map(|n| world.review(n, ISIK, 3, "")).collect();
    let engine = world.store.edge.database.clone();
    let edge = Edge { database: Arc::new(Crowded { engine, is_torn }), ..world.store.edge.clone() };
    let router = router(&edge, &world.variables);
    let mut requests = Vec::new();
    for (n, review) in (1..=LEARNERS).zip(&reviews) {
        let mine = format!("{ISIK}/reviews/mine");
        // The last one's is left to staff: what others change meanwhile staff has not seen.
        for stars in [1, 5].into_iter().filter(|_| n < LEARNERS) {
            let body = json!({ "stars": stars });
            requests.push(world.request(UMRANIYE, (Method::PUT, &mine), learner(n), Some(&body)));
        }
        if n % 2 == 0 {
            requests.push(world.request(UMRANIYE, (Method::DELETE, &mine), learner(n), None));
        }
        let like = format!("{ISIK}/like");
        for _ in 0..2 {
            requests.push(world.request(UMRANIYE, (Method::PUT, &like), learner(n), None));
        }
        let decision = json!({ "state": "hidden", "reason": "other", "version": 1 });
        let state = format!("/api/v1/reviews/{review}/state");
        requests.push(world.request(UMRANIYE, (Method::PUT, &state), administrator(), Some(&decision)));
    }
    let answers = block_on(join_all(requests.into_iter().map(|request| send(&router, request))));
    let done = answers.iter().filter(|answer| answer.status < 300).count();
    assert!(is_torn || done > 4 * usize::from(LEARNERS), "only {done} requests were taken");
    world.store.count(WRONG)
}

#[test]
fn figures_hold_however_many_write_at_once() {
    assert_eq!(wrong_after_a_crowd(false), 0);
}

#[test]
fn figures_drift_once_a_change_and_its_count_are_two_steps() {
    assert_ne!(wrong_after_a_crowd(true), 0);
}

#[test]
fn two_of_staff_who_decide_at_once_do_not_overwrite_each_other_unseen() {
    let world = World::new();
    let review = world.review(1, ISIK, 1, "Kötü");
    let decide = |version: i64, is_lax: bool| {
        let meeting = akademi_edge_world::Meeting { words: vec!["FROM review JOIN course"], many: 2, is_lax };
        let router = router(&world.store.racing(meeting), &world.variables);
        let path = format!("/api/v1/reviews/{review}/state");
        let [one, two] = ["insult", "other"].map(|reason| {
            let body = json!({ "state": "hidden", "reason": reason, "version": version });
            let request = world.request(UMRANIYE, (Method::PUT, &path), administrator(), Some(&body));
            send(&router, request)
        });
        let (one, two) = block_on(futures::future::join(one, two));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        statuses
    };
    assert_eq!(decide(1, false), [200, 409]);
    assert_eq!(decide(2, true), [200, 200], "without the condition nobody learns of the other");
}
