//! What the edge must hear of, in the transaction of the change itself.

use akademi_domain::time::Timestamp;
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{feed::append_event, postgres::TenantTransaction};

use crate::CertificatesError;

pub async fn append(
    tx: &mut TenantTransaction,
    event: &LambdaEvent,
    now: Timestamp,
) -> Result<(), CertificatesError> {
    let record = event.record();
    let payload = serde_json::from_str(&record.payload)?;
    append_event(tx, record.kind, i32::try_from(record.version).unwrap_or(i32::MAX), &payload, now).await?;
    Ok(())
}
