//! PostgreSQL's events go to the edge.

use akademi_domain::ids::TenantId;
use akademi_feed::{Acknowledgement, Batch, Envelope, MAX_BYTES};
use akademi_lambda_store::feed::{MAX_BATCH_EVENTS, NumberedEvent, publish};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::{Sync, SyncError, unexpected};

const TARGET: &str = "/internal/feed";
/// A run carries this many batches at most; the next one goes on.
const MAX_BATCHES: usize = 1000;
/// Acknowledged events are deleted this many at a time.
const PRUNE_AT_ONCE: u32 = 10_000;

/// Numbers what was committed and hands over all that the edge, standing at `edge_cursor`, lacks; how many.
pub async fn push(sync: &Sync, edge_cursor: u64) -> Result<usize, SyncError> {
    publish(&sync.postgres).await?;
    let mut cursor = edge_cursor;
    let mut pushed = 0;
    for _ in 0..MAX_BATCHES {
        let mut platform = sync.postgres.platform().await?;
        let head = platform.feed_head().await?;
        if cursor > head.acknowledged && cursor <= head.last_number {
            platform.acknowledge(cursor).await?;
            platform.prune_acknowledged(PRUNE_AT_ONCE).await?;
        }
        let events = platform.read_events(cursor, MAX_BATCH_EVENTS, MAX_BYTES).await?;
        platform.commit().await?;
        let Some(last) = events.last() else { return Ok(pushed) };

        let to = i64::try_from(last.number).unwrap_or(i64::MAX);
        let from = i64::try_from(cursor).unwrap_or(i64::MAX);
        let source = format!("{}:{}", head.source, head.epoch);
        let batch = Batch { source, from, to, events: events.iter().map(envelope).collect() };
        let body = serde_json::to_vec(&batch).map_err(|error| SyncError::Batch(error.to_string()))?;
        let answer = sync.call_edge::<Acknowledgement>(Method::POST, TARGET, Bytes::from(body)).await?;
        match answer {
            Ok(acknowledgement) => {
                // Perhaps not all of it: a batch is applied as far as one step of the edge goes.
                pushed += batch.events.iter().filter(|event| event.number <= acknowledgement.cursor).count();
                cursor = u64::try_from(acknowledgement.cursor).unwrap_or(0);
            }
            // Another run was faster: the next one sees where the edge stands.
            Err((StatusCode::CONFLICT, _)) => return Ok(pushed),
            Err(other) => return Err(unexpected(other, TARGET)),
        }
    }
    Ok(pushed)
}

fn envelope(event: &NumberedEvent) -> Envelope {
    let tenant: TenantId = event.tenant;
    Envelope {
        number: i64::try_from(event.number).unwrap_or(i64::MAX),
        tenant,
        kind: event.kind.clone(),
        version: u32::try_from(event.version).unwrap_or(0),
        payload: event.payload.to_string(),
    }
}
