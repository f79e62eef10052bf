//! What whoever wants a mail and whoever sends it agree on.

use akademi_domain::{
    ids::{JobId, MailId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    error::StoreError,
    jobs::{NewJob, enqueue},
    postgres::TenantTransaction,
};

/// The kind of the job that sends a mail.
pub const DELIVERY: &str = "mail_delivery";

/// More than a day of attempts holds, each of which ends by itself or with its lease: time alone ends the trying.
const MAX_ATTEMPTS: i32 = 2000;

/// The payload of a [`DELIVERY`] job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryOrder {
    pub mail: MailId,
}

/// Has a mail sent from now on, in the transaction that queues its row.
pub async fn enqueue_delivery(
    tx: &mut TenantTransaction,
    mail: MailId,
    job: JobId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let payload = serde_json::json!(DeliveryOrder { mail });
    let job = NewJob {
        id: job,
        kind: DELIVERY,
        // The row says whether it waits.
        dedupe_key: None,
        payload: &payload,
        max_attempts: MAX_ATTEMPTS,
        run_after: now,
    };
    enqueue(tx, &job, now).await?;
    Ok(())
}
