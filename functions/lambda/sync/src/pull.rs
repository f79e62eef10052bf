//! The edge's events come into PostgreSQL.

use akademi_feed::{Answer, Batch, Decoded, EdgeEvent, Envelope};
use akademi_lambda_store::inbox::{Advance, advance_cursor};
use bytes::Bytes;
use http::Method;

use crate::{Sync, SyncError, person_keys, progress, quarantine, unexpected};

/// A run carries this many batches at most; the next one goes on.
const MAX_BATCHES: usize = 1000;

/// Whether the edge has events that were not acknowledged, by one call and without PostgreSQL.
pub async fn edge_has_news(sync: &Sync) -> Result<bool, SyncError> {
    let target = "/internal/feed";
    let answer: Answer =
        sync.call_edge(Method::GET, target, Bytes::new()).await?.map_err(|got| unexpected(got, target))?;
    Ok(answer.head > answer.batch.from)
}

/// How far a pull came.
#[derive(Default)]
pub struct Pulled {
    /// Events that were applied, or kept in the quarantine.
    pub events: usize,
    /// How far the edge is with this plane's feed; `None` if it could not be asked.
    pub edge_cursor: Option<u64>,
}

/// Applies all that the edge has. What was learnt before an error stands in `pulled`.
pub async fn pull(sync: &Sync, pulled: &mut Pulled) -> Result<(), SyncError> {
    let mut platform = sync.postgres.platform().await?;
    let head = platform.feed_head().await?;
    let own_source = format!("{}:{}", head.source, head.epoch);
    let known = platform.cursor("edge").await?;
    platform.rollback().await?;

    let mut after = known.as_ref().map(|cursor| cursor.number);
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
        pulled.edge_cursor = Some(u64::try_from(answer.cursor).unwrap_or(0));
        if answer.batch.to == answer.batch.from {
            break;
        }
        after = Some(apply_batch(sync, &answer.batch).await?);
        pulled.events += answer.batch.events.len();
    }
    Ok(())
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
            let mut lines = Vec::new();
            // First what learners did: no other event hangs on it, and what erases somebody comes after it.
            let progress::Sorted { progress: by_academy, others } = progress::Sorted::new(&batch.events);
            for (tenant, told) in by_academy {
                lines.extend(progress::save(sync, &mut platform, &batch.source, tenant, told).await?);
            }
            // The head of an academy's audit log is the last lock that a transaction takes: nothing of what is applied hangs
            // on its entries.
            let (audited, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|event| is_audit(event));
            for event in others.into_iter().chain(audited) {
                lines.extend(quarantine::apply_or_keep(sync, &mut platform, &batch.source, event).await?);
            }
            platform.commit().await?;
            sync.log(lines);
            if let Some(mail) = &sync.mail
                && batch.events.iter().any(is_mail)
            {
                mail.wake();
            }
            Ok(to)
        }
        Advance::Repeated => Ok(to),
        Advance::Gap { wanted } => Ok(wanted),
        Advance::OtherEpoch { known } => Err(SyncError::Batch(format!(
            "the edge began epoch {epoch}, this copy is of {known}: rebuild it"
        ))),
    }
}

fn is_audit(event: &Envelope) -> bool {
    matches!(EdgeEvent::decode(event), Ok(Decoded::Known(EdgeEvent::Audited { .. })))
}

fn is_mail(event: &Envelope) -> bool {
    matches!(EdgeEvent::decode(event), Ok(Decoded::Known(EdgeEvent::MailWanted { .. })))
}
