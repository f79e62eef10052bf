//! The record behind `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), kept by the route's owner.
//!
//! Within one transaction: [`begin`], write, [`finish`], commit; a parallel request with the same key waits for the
//! commit and replays. Around a call to a provider: `begin` and commit, call, then `finish` in the transaction that
//! keeps the outcome; if the caller dies in between, the key is free again once its lease has ended, and the old
//! holder can no longer finish it.

use akademi_api::idempotency::StoredResponse;
use akademi_domain::{ids::UserId, time::Timestamp};
use sqlx::{Row, types::Json};

use crate::{error::StoreError, postgres::TenantTransaction};

/// Most bytes of a response that is kept.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Whose key, and for what: the same key on another route or of another person is another key.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub user: UserId,
    /// The route's name, for example `POST /api/v1/orders`.
    pub route: &'a str,
    /// The header's value.
    pub key: &'a str,
}

/// The right to do the work and to finish the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    fence: i32,
}

impl Claim {
    /// Whether no request with this key came before, as far as records are kept.
    pub const fn is_first(self) -> bool {
        self.fence == 1
    }
}

/// What a request with this key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Begin {
    /// Do the work, then [`finish`].
    Fresh(Claim),
    /// Another request is at it: 409.
    Running,
    /// It has been done: answer this, with `Idempotent-Replayed: true`.
    Replay(StoredResponse),
    /// The key was used for another body: 422.
    Mismatch,
}

/// Takes the key for a request whose body hashes to `fingerprint`, until `lease_millis` from now.
pub async fn begin(
    tx: &mut TenantTransaction,
    scope: &Scope<'_>,
    fingerprint: &[u8; 32],
    lease_millis: i64,
    now: Timestamp,
) -> Result<Begin, StoreError> {
    let mut found = take_key(tx, scope, fingerprint, lease_millis, now).await?;
    if found.fence.is_none() && found.response.is_none() {
        // Perhaps it waited for a transaction that has made or finished the record since.
        found = take_key(tx, scope, fingerprint, lease_millis, now).await?;
    }
    Ok(match found {
        Found { fence: Some(fence), .. } => Begin::Fresh(Claim { fence }),
        Found { known: Some(known), .. } if known != fingerprint => Begin::Mismatch,
        Found { response: Some(response), .. } => Begin::Replay(response),
        _ => Begin::Running,
    })
}

/// Keeps the response, to be replayed.
///
/// # Errors
/// [`StoreError::LeaseLost`] if the lease ended and another request took the key, or the record is done: roll back.
/// [`StoreError::TooLarge`] for a body over [`MAX_BODY_BYTES`].
pub async fn finish(
    tx: &mut TenantTransaction,
    scope: &Scope<'_>,
    claim: Claim,
    response: &StoredResponse,
) -> Result<(), StoreError> {
    let bytes = response.body.len();
    if bytes > MAX_BODY_BYTES {
        return Err(StoreError::TooLarge { bytes, limit: MAX_BODY_BYTES });
    }
    let finished = sqlx::query(
        "UPDATE idempotency SET state = 'done', status = $6, headers = $7, body = $8
         WHERE tenant_id = $1 AND user_id = $2 AND route = $3 AND key = $4 AND fence = $5 AND state = 'running'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(scope.user.as_uuid())
    .bind(scope.route)
    .bind(scope.key)
    .bind(claim.fence)
    .bind(response.status.cast_signed())
    .bind(Json(&response.headers))
    .bind(&response.body)
    .execute(tx.connection())
    .await?;
    if finished.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Gives the key back without a response: what was to be done could not be, and the next request with this key may try
/// again at once.
///
/// # Errors
/// [`StoreError::LeaseLost`] as [`finish`].
pub async fn release(tx: &mut TenantTransaction, scope: &Scope<'_>, claim: Claim) -> Result<(), StoreError> {
    let released = sqlx::query(
        "UPDATE idempotency SET lease_until = 0
         WHERE tenant_id = $1 AND user_id = $2 AND route = $3 AND key = $4 AND fence = $5 AND state = 'running'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(scope.user.as_uuid())
    .bind(scope.route)
    .bind(scope.key)
    .bind(claim.fence)
    .execute(tx.connection())
    .await?;
    if released.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// What there is under a key.
#[derive(Default)]
struct Found {
    /// The key was taken, this often by now.
    fence: Option<i32>,
    /// Otherwise the fingerprint of the request that has it.
    known: Option<Vec<u8>>,
    /// What that request was answered, once it is done.
    response: Option<StoredResponse>,
}

/// Makes a new record, takes one whose holder's lease has ended, or reads the one that is there; a record that is done is
/// read without a lock. Waits for another transaction that writes the same record, and does not see what that one wrote.
async fn take_key(
    tx: &mut TenantTransaction,
    scope: &Scope<'_>,
    fingerprint: &[u8; 32],
    lease_millis: i64,
    now: Timestamp,
) -> Result<Found, StoreError> {
    let row = sqlx::query(
        "WITH before AS (
             SELECT fingerprint, state, status, headers, body FROM idempotency
             WHERE tenant_id = $1 AND user_id = $2 AND route = $3 AND key = $4
         ), taken AS (
             INSERT INTO idempotency AS known
                 (tenant_id, user_id, route, key, fingerprint, state, fence, lease_until, created_at)
             SELECT $1, $2, $3, $4, $5, 'running', 1, $6 + $7, $6
             WHERE NOT EXISTS (SELECT FROM before WHERE state = 'done')
             ON CONFLICT (tenant_id, user_id, route, key) DO UPDATE
             SET fence = known.fence + 1, lease_until = excluded.lease_until
             WHERE known.state = 'running' AND known.lease_until <= $6 AND known.fingerprint = excluded.fingerprint
             RETURNING fence
         )
         SELECT fence, fingerprint, state, status, headers, body FROM taken FULL JOIN before ON true",
    )
    .bind(tx.tenant().as_uuid())
    .bind(scope.user.as_uuid())
    .bind(scope.route)
    .bind(scope.key)
    .bind(fingerprint.as_slice())
    .bind(now.as_millis())
    .bind(lease_millis)
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(Found::default()) };
    let mut found =
        Found { fence: row.try_get("fence")?, known: row.try_get("fingerprint")?, response: None };
    if row.try_get::<Option<&str>, _>("state")? == Some("done") {
        let Json(headers) = row.try_get("headers")?;
        let status = row.try_get::<i16, _>("status")?.cast_unsigned();
        found.response = Some(StoredResponse { status, headers, body: row.try_get("body")? });
    }
    Ok(found)
}
