//! How many statements a dashboard takes, and how long one may.

use http::Method;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tracing::{Event, Metadata, Subscriber, span};

use crate::academies::{Academies, DAY, admin, at, instructor, learner};

/// Counts what sqlx tells of each statement: those that read, and those that limit how long one may take.
#[derive(Clone, Default)]
struct Counter {
    reads: Arc<AtomicUsize>,
    limits: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Kind {
    reads: bool,
    limits: bool,
}

impl tracing::field::Visit for Kind {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        let text = format!("{value:?}");
        let text = text.trim_matches('"').trim_start();
        let is_end = ["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| text.starts_with(word));
        if field.name() == "summary" {
            self.limits = text.contains("statement_timeout");
            self.reads = !is_end && !self.limits;
        }
    }
}

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn event(&self, event: &Event<'_>) {
        let mut kind = Kind::default();
        event.record(&mut kind);
        self.reads.fetch_add(kind.reads.into(), Ordering::SeqCst);
        self.limits.fetch_add(kind.limits.into(), Ordering::SeqCst);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn a_dashboard_takes_at_most_three_statements_each_of_a_limited_time() {
    let academies = Academies::new().await;
    for n in 1..=2 {
        academies.watch(n, n, 60, 0, at(DAY, 60)).await;
    }
    academies.run(1, DAY).await;
    let counter = Counter::default();
    let _counting = tracing::subscriber::set_default(counter.clone());
    for (who, name, statements) in
        [(admin(), "institution", 3), (instructor(100), "instructor", 3), (learner(1), "learner", 2)]
    {
        let before = [&counter.reads, &counter.limits].map(|count| count.load(Ordering::SeqCst));
        let (status, _) = academies.call(who, Method::GET, &format!("/api/v1/reports/{name}"), None).await;
        let after = [&counter.reads, &counter.limits].map(|count| count.load(Ordering::SeqCst));
        assert_eq!((status, after[0] - before[0], after[1] - before[1]), (200, statements, 1), "{name}");
    }
}
