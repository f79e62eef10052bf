//! How many statements a dashboard takes.

use http::Method;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tracing::{Event, Metadata, Subscriber, span};

use crate::academies::{Academies, DAY, admin, at, instructor, learner};

/// Counts what sqlx tells of each statement, but for the ends of transactions.
struct Counter(Arc<AtomicUsize>);

struct IsData(bool);

impl tracing::field::Visit for IsData {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        let text = format!("{value:?}");
        let text = text.trim_matches('"').trim_start();
        let is_end = ["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| text.starts_with(word));
        if field.name() == "summary" {
            self.0 = !is_end;
        }
    }
}

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn event(&self, event: &Event<'_>) {
        let mut data = IsData(false);
        event.record(&mut data);
        if data.0 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
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
async fn a_dashboard_takes_at_most_three_statements() {
    let academies = Academies::new().await;
    for n in 1..=2 {
        academies.watch(n, n, 60, 0, at(DAY, 60)).await;
    }
    academies.run(1, DAY).await;
    let count = Arc::new(AtomicUsize::new(0));
    let _counting = tracing::subscriber::set_default(Counter(count.clone()));
    for (who, name, statements) in
        [(admin(), "institution", 3), (instructor(100), "instructor", 3), (learner(1), "learner", 2)]
    {
        count.store(0, Ordering::SeqCst);
        let (status, _) = academies.call(who, Method::GET, &format!("/api/v1/reports/{name}"), None).await;
        assert_eq!((status, count.load(Ordering::SeqCst)), (200, statements), "{name}");
    }
}
