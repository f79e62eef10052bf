//! The edge's events come into PostgreSQL.

use akademi_feed::{Answer, Batch};
use akademi_lambda_store::inbox::{Advance, advance_cursor};
use bytes::Bytes;
use http::Method;

use crate::{Sync, SyncError, apply::apply, person_keys, unexpected};

/// A run carries this many batches at most; the next one goes on.
const MAX_BATCHES: usize = 1000;

/// Whether the edge has events that were not acknowledged, by one call and without PostgreSQL.
pub async fn edge_has_news(sync: &Sync) -> Result<bool, SyncError> {
    let target = "/internal/feed";
    let answer: Answer =
        sync.call_edge(Method::GET, target, Bytes::new()).await?.map_err(|got| unexpected(got, target))?;
    Ok(answer.head > answer.batch.from)
}

/// Applies all that the edge has; how many events, and how far the edge is with this plane's feed.
pub async fn pull(sync: &Sync) -> Result<(usize, u64), SyncError> {
    let mut platform = sync.postgres.platform().await?;
    let head = platform.feed_head().await?;
    let own_source = format!("{}:{}", head.source, head.epoch);
    let known = platform.cursor("edge").await?;
    platform.rollback().await?;

    let mut after = known.as_ref().map(|cursor| cursor.number);
    let mut pulled = 0;
    for _ in 0..MAX_BATCHES {
        // Before anything was applied, the feed is read from its acknowledged beginning.
        let target = match after {
            Some(after) => format!("/internal/feed?after={after}&source={own_source}"),
            None => format!("/internal/feed?source={own_source}"),
        };
        let answer: Answer = sync
            .call_edge(Method::GET, &target, Bytes::new())
            .await?
            .map_err(|got| unexpected(got, &target))?;
        let edge_cursor = u64::try_from(answer.cursor).unwrap_or(0);
        if answer.batch.to == answer.batch.from {
            return Ok((pulled, edge_cursor));
        }
        after = Some(apply_batch(sync, &answer.batch).await?);
        pulled += answer.batch.events.len();
    }
    Ok((pulled, 0))
}

/// Applies one batch with its cursor in one transaction; where the cursor stands then.
async fn apply_batch(sync: &Sync, batch: &Batch) -> Result<u64, SyncError> {
    batch.check().map_err(|error| SyncError::Batch(error.to_string()))?;
    let (source, epoch) =
        batch.source.split_once(':').ok_or_else(|| SyncError::Batch("a source without an epoch".into()))?;
    let number = |n: i64| u64::try_from(n).map_err(|_| SyncError::Batch("a negative number".into()));
    let (from, to) = (number(batch.from)?, number(batch.to)?);
    // Asked for before the transaction: a key that is stored without its person does no harm.
    let keys = person_keys::fetch_new(sync, batch).await?;

    let mut platform = sync.postgres.platform().await?;
    match advance_cursor(&mut platform, source, epoch, from, to).await? {
        Advance::Advanced => {
            person_keys::store(&mut platform, sync, &keys).await?;
            for event in &batch.events {
                apply(sync, &mut platform, event).await?;
            }
            platform.commit().await?;
            Ok(to)
        }
        Advance::Repeated => Ok(to),
        Advance::Gap { wanted } => Ok(wanted),
        Advance::OtherEpoch { known } => Err(SyncError::Batch(format!(
            "the edge began epoch {epoch}, this copy is of {known}: rebuild it"
        ))),
    }
}
