//! Appending to the feed within the batch of the change itself.

use akademi_domain::time::Timestamp;
use akademi_feed::EdgeEvent;

use crate::scope::{TenantSql, TenantStatement};

// `?1` is the tenant, as everywhere; the head is one row for the whole database, which is what numbers it.
const NEXT_NUMBER: TenantSql =
    TenantSql::new("UPDATE feed_head SET number = number + 1 WHERE id = 1 AND ?1 IS NOT NULL");

const APPEND: TenantSql = TenantSql::new(
    "INSERT INTO feed_event (number, tenant_id, supersedes, kind, version, payload, created_at) \
     SELECT number, ?1, ?2, ?3, ?4, ?5, ?6 FROM feed_head WHERE id = 1 \
     ON CONFLICT (supersedes) DO UPDATE SET number = excluded.number, payload = excluded.payload, \
     version = excluded.version, created_at = excluded.created_at",
);

/// The statements that append `event` to the feed.
pub fn append_event(event: &EdgeEvent, now: Timestamp) -> [TenantStatement; 2] {
    statements(event, None, now)
}

/// The statements that append all these events to the feed, in their order: as many statements as for one.
pub fn append_events(events: &[EdgeEvent], now: Timestamp) -> [TenantStatement; 2] {
    const ADVANCE: TenantSql =
        TenantSql::new("UPDATE feed_head SET number = number + ?2 WHERE id = 1 AND ?1 IS NOT NULL");
    const APPEND_ALL: TenantSql = TenantSql::new(
        "INSERT INTO feed_event (number, tenant_id, kind, version, payload, created_at) \
         SELECT number - ?4 + 1 + event.key, ?1, event.value ->> 0, event.value ->> 1, event.value ->> 2, ?3 \
         FROM feed_head, json_each(?2) AS event WHERE feed_head.id = 1",
    );
    let records = events.iter().map(EdgeEvent::record);
    let records: serde_json::Value =
        records.map(|record| serde_json::json!([record.kind, record.version, record.payload])).collect();
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    [ADVANCE.with([count.into()]), APPEND_ALL.with([records.to_string().into(), now.into(), count.into()])]
}

/// The statements that put `event` in the place of the pending one under the same key, which must name the
/// tenant: progress keeps one pending event per learner and lesson.
pub fn replace_event(event: &EdgeEvent, key: String, now: Timestamp) -> [TenantStatement; 2] {
    statements(event, Some(key), now)
}

fn statements(event: &EdgeEvent, key: Option<String>, now: Timestamp) -> [TenantStatement; 2] {
    let record = event.record();
    [
        NEXT_NUMBER.with([]),
        APPEND.with([
            key.into(),
            record.kind.into(),
            record.version.into(),
            record.payload.into(),
            now.into(),
        ]),
    ]
}
