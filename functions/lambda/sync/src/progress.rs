//! Most of what the edge tells is how far learners are: an academy's share of a batch is one statement.

use akademi_domain::ids::{LessonId, TenantId, UserId};
use akademi_feed::{Decoded, EdgeEvent, Envelope};
use akademi_lambda_store::platform::PlatformTransaction;
use serde_json::Value;
use std::collections::BTreeMap;

use crate::{
    Sync, SyncError,
    apply::progress_summary,
    quarantine::apply_or_keep,
    store::{self, ProgressSummary},
};

/// The progress that the events of a batch tell, by academy; and the other events, in their order.
pub struct Sorted<'a> {
    pub progress: BTreeMap<TenantId, Told<'a>>,
    pub others: Vec<&'a Envelope>,
}

/// One academy's.
#[derive(Default)]
pub struct Told<'a> {
    events: Vec<&'a Envelope>,
    summaries: BTreeMap<(UserId, LessonId), ProgressSummary>,
}

impl<'a> Sorted<'a> {
    pub fn new(events: &'a [Envelope]) -> Self {
        let mut sorted = Self { progress: BTreeMap::new(), others: Vec::new() };
        for envelope in events {
            let summary = match EdgeEvent::decode(envelope) {
                Ok(Decoded::Known(event)) => progress_summary(event),
                _ => None,
            };
            let Some(summary) = summary else {
                sorted.others.push(envelope);
                continue;
            };
            let told = sorted.progress.entry(envelope.tenant).or_default();
            told.events.push(envelope);
            told.summaries.insert((summary.person, summary.lesson), summary);
        }
        sorted
    }
}

/// Saves what an academy's learners did. Where one of its events is refused, or two are about the same lesson of a learner,
/// each is applied for itself, and the refused ones are kept in the quarantine; the lines that the log gets once that is
/// committed.
///
/// # Errors
/// What is no event's own fault: the whole batch is tried again.
pub async fn save(
    sync: &Sync,
    platform: &mut PlatformTransaction,
    source: &str,
    tenant: TenantId,
    told: Told<'_>,
) -> Result<Vec<Value>, SyncError> {
    if told.summaries.len() == told.events.len() {
        let tx = platform.tenant(tenant).await?;
        store::set_savepoint(tx).await?;
        let summaries: Vec<_> = told.summaries.into_values().collect();
        match store::save_progress(tx, &summaries).await {
            Ok(()) => {
                store::release_savepoint(tx).await?;
                return Ok(Vec::new());
            }
            Err(error) if error.refuses_content() => store::roll_back_to_savepoint(tx).await?,
            Err(error) => return Err(error.into()),
        }
    }
    let mut lines = Vec::new();
    for envelope in told.events {
        lines.extend(apply_or_keep(sync, platform, source, envelope).await?);
    }
    Ok(lines)
}
