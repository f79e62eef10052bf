//! Callbacks as they came, and what a person must look at.

use akademi_domain::time::Timestamp;
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};

/// A callback as it came.
pub struct ReceivedCallback<'a> {
    pub provider: &'a str,
    /// SHA-256 of the body.
    pub digest: [u8; 32],
    pub body: &'a [u8],
    /// The header that signs the body, where that is not in it.
    pub signature: Option<&'a str>,
    /// `verified`, `wrong_signature`, `malformed`, `stale` or `unlisted_address`.
    pub verification: &'a str,
}

/// Keeps a callback, or counts it if the same has come before. What was verified once stays so: its copy under another
/// signature makes it no less true.
pub async fn save_callback(
    tx: &mut TenantTransaction,
    callback: &ReceivedCallback<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO payment_callback AS known
             (tenant_id, provider, digest, body, signature, verification, first_at, last_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
         ON CONFLICT (tenant_id, provider, digest) DO UPDATE
         SET times = known.times + 1, last_at = excluded.last_at,
             (signature, verification) = (SELECT CASE known.verification WHEN 'verified' THEN known.signature
                                                 ELSE excluded.signature END,
                                                 CASE known.verification WHEN 'verified' THEN 'verified'
                                                 ELSE excluded.verification END)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(callback.provider)
    .bind(callback.digest.as_slice())
    .bind(callback.body)
    .bind(callback.signature)
    .bind(callback.verification)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What the first of a callback's copies led to.
pub async fn save_callback_outcome(
    tx: &mut TenantTransaction,
    provider: &str,
    digest: &[u8; 32],
    outcome: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE payment_callback SET outcome = $4
         WHERE tenant_id = $1 AND provider = $2 AND digest = $3 AND outcome IS NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(digest.as_slice())
    .bind(outcome)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Something that a person must look at; once for each subject.
pub async fn raise_alarm(
    tx: &mut TenantTransaction,
    kind: &str,
    subject: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO payment_alarm (tenant_id, kind, subject, raised_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(kind)
    .bind(subject)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}
