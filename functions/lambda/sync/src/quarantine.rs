//! An event that cannot be applied is kept beside, so that it stops no other: neither its academy's, nor another's.

use akademi_feed::Envelope;
use akademi_lambda_store::platform::PlatformTransaction;
use serde_json::{Value, json};

use crate::{Sync, SyncError, apply::apply, store};

/// Applies an event of `source` (with its epoch), or keeps it in the quarantine; the line that the log gets once that is
/// committed, if any.
///
/// # Errors
/// What is not the event's own fault: the whole batch is tried again.
pub async fn apply_or_keep(
    sync: &Sync,
    platform: &mut PlatformTransaction,
    source: &str,
    envelope: &Envelope,
) -> Result<Option<Value>, SyncError> {
    let tx = platform.tenant(envelope.tenant).await?;
    // After the academy's role and id are set: going back to the savepoint would take them back too.
    store::set_savepoint(tx).await?;
    let error = match apply(sync, tx, envelope).await {
        Ok(line) => {
            store::release_savepoint(tx).await?;
            return Ok(line);
        }
        Err(error) => error,
    };
    let Some(detail) = error.fault_of_event() else { return Err(error) };
    store::roll_back_to_savepoint(tx).await?;
    let now = sync.ports.now();
    store::keep_in_quarantine(tx, source, envelope, &detail, now).await?;
    Ok(Some(json!({
        "at": now, "function": "sync", "level": "error", "quarantined": envelope.number, "source": source,
        "tenant": envelope.tenant, "kind": envelope.kind, "cause": error.to_string(),
    })))
}
