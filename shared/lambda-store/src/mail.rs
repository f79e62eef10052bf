//! What whoever wants a mail and whoever sends it agree on.

use akademi_api::Ports;
use akademi_domain::{
    ids::{JobId, LinkId, MailId, OrderId, UserId},
    mail::MailKind,
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

/// A mail that is wanted.
pub struct WantedMail {
    pub id: MailId,
    /// Whose key seals the recipient.
    pub person: UserId,
    pub kind: MailKind,
    /// Name and address, sealed.
    pub recipient: Vec<u8>,
    /// Of the link that the kind has.
    pub link: Option<LinkId>,
    /// The order that it is about.
    pub order: Option<OrderId>,
    /// Of the academy: where it leads.
    pub host: String,
    pub locale: String,
    pub at: Timestamp,
}

/// Keeps a mail and has it sent once the transaction is committed, unless it is known or whom it is for was erased.
pub async fn queue_mail(
    tx: &mut TenantTransaction,
    wanted: &WantedMail,
    ports: &Ports,
) -> Result<(), StoreError> {
    let now = ports.now();
    if insert_mail(tx, wanted, now).await? {
        enqueue_delivery(tx, wanted.id, JobId::new(now, ports.random()), now).await?;
    }
    Ok(())
}

/// Whether it was kept.
async fn insert_mail(
    tx: &mut TenantTransaction,
    wanted: &WantedMail,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let queued = sqlx::query(
        "INSERT INTO mail (tenant_id, id, kind, person_id, sealed_recipient, link_id, order_id, host, locale, state,
                           created_at, queued_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', $10, $11
         WHERE NOT EXISTS (SELECT FROM tombstone WHERE tenant_id = $1 AND person_id = $4) ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(wanted.id.as_uuid())
    .bind(wanted.kind.name())
    .bind(wanted.person.as_uuid())
    .bind(&wanted.recipient)
    .bind(wanted.link.map(|link| link.as_uuid()))
    .bind(wanted.order.map(|order| order.as_uuid()))
    .bind(&wanted.host)
    .bind(&wanted.locale)
    .bind(wanted.at.as_millis())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(queued.rows_affected() == 1)
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
