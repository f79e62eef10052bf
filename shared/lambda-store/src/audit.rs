//! The audit log: who did what, when, from where, before and after; one chain of hashes for each academy.
//!
//! # The chain
//! Entries of an academy are numbered from 1 without gaps, in the transaction of the write that they tell of, so a write
//! that is rolled back leaves none. The hash of an entry covers all its fields and the hash of the one before
//! ([`encoding`]); `audit_head` keeps the last number and hash. So [`verify`] finds an entry that was altered, removed,
//! moved or put in between, the newest ones included. Whoever owns the tables could write a chain anew from some entry
//! on, head included: what shows that is a copy of the log kept elsewhere, such as an export.
//!
//! [`append`] locks the academy's head until the transaction ends: it is the last lock that a transaction takes, or
//! two that append could wait for each other.
//!
//! # Personal data
//! An entry names people by id only, and holds neither their data nor secrets. From where something was done is sealed
//! under a person's key: erasing the person takes it away and leaves the chain as it was.

pub mod encoding;
mod staff;
mod verification;

use akademi_domain::{
    ids::{AuditId, UserId},
    time::Timestamp,
};
use serde_json::Value;
use sqlx::{Row, postgres::PgRow, types::Json};

use crate::{error::StoreError, postgres::TenantTransaction};
use encoding::{Hash, entry_hash, storable};

pub use staff::{AUDITED, Action, Actor, Auditor, ORIGIN_FIELD, Write};
pub use verification::{Verdict, verify};

/// What the first entry of an academy follows.
pub const BEFORE_ALL: Hash = [0; 32];

/// An entry before it has its place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    pub id: AuditId,
    pub at: Timestamp,
    /// What was done, `noun.verb` in the past: `course.published`.
    pub action: String,
    /// Who did it; nobody for what strangers do.
    pub actor: Option<UserId>,
    /// To what, `kind:id`: `course:…`.
    pub target: String,
    /// From where, sealed; empty where there was nobody to seal it for.
    pub origin: Vec<u8>,
    /// Whose key seals it.
    pub sealed_for: Option<UserId>,
    /// `{"before": …, "after": …}`
    pub change: Option<Value>,
}

/// Where a chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    number: i64,
    hash: Hash,
}

/// Appends an entry to the academy's chain, in the transaction of what it tells of; whether it was not there before. The
/// same id a second time changes nothing. Fractions in `change` are kept as text ([`encoding`]).
///
/// Nobody else appends for this academy before the transaction ends: take other locks before.
pub async fn append(tx: &mut TenantTransaction, mut entry: NewEntry) -> Result<bool, StoreError> {
    entry.change = entry.change.map(storable);
    let head = lock_head(tx).await?;
    chain(tx, head, &entry).await
}

/// The end of the academy's chain, which stays until the transaction ends.
async fn lock_head(tx: &mut TenantTransaction) -> Result<Head, StoreError> {
    if let Some(head) = find_head_locked(tx).await? {
        return Ok(head);
    }
    insert_head(tx).await?;
    // Somebody else's row if they were faster.
    find_head_locked(tx).await?.ok_or(StoreError::Internal(sqlx::Error::RowNotFound))
}

async fn find_head_locked(tx: &mut TenantTransaction) -> Result<Option<Head>, StoreError> {
    let row = sqlx::query("SELECT number, hash FROM audit_head WHERE tenant_id = $1 FOR UPDATE")
        .bind(tx.tenant().as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(head).transpose()
}

/// Begins the chain; waits for a transaction that has just begun it.
async fn insert_head(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO audit_head (tenant_id, number, hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING")
        .bind(tx.tenant().as_uuid())
        .bind(BEFORE_ALL.as_slice())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Puts the entry behind `head` and moves the head; whether it was not there before.
async fn chain(tx: &mut TenantTransaction, head: Head, entry: &NewEntry) -> Result<bool, StoreError> {
    let number = head.number + 1;
    let hash = entry_hash(tx.tenant(), number, entry, &head.hash);
    let moved = sqlx::query(
        "WITH entry AS (
             INSERT INTO audit_entry (tenant_id, number, id, at, action, actor, target, origin, sealed_for, change,
                                      previous_hash, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (tenant_id, id) DO NOTHING RETURNING number, hash
         )
         UPDATE audit_head SET number = entry.number, hash = entry.hash FROM entry WHERE tenant_id = $1",
    )
    .bind(tx.tenant().as_uuid())
    .bind(number)
    .bind(entry.id.as_uuid())
    .bind(entry.at.as_millis())
    .bind(&entry.action)
    .bind(entry.actor.map(|actor| actor.as_uuid()))
    .bind(&entry.target)
    .bind(&entry.origin)
    .bind(entry.sealed_for.map(|person| person.as_uuid()))
    .bind(entry.change.as_ref().map(Json))
    .bind(head.hash.as_slice())
    .bind(hash.as_slice())
    .execute(tx.connection())
    .await?;
    Ok(moved.rows_affected() == 1)
}

fn head(row: &PgRow) -> Result<Head, StoreError> {
    Ok(Head { number: row.try_get("number")?, hash: row.try_get("hash")? })
}

#[cfg(test)]
mod tests;
