//! Whether an academy's chain is as it was written.

use akademi_domain::{
    ids::{AuditId, TenantId, UserId},
    time::Timestamp,
};
use sqlx::{Row, postgres::PgRow, types::Json};

use super::{BEFORE_ALL, Head, NewEntry, encoding::entry_hash};
use crate::{
    error::StoreError,
    postgres::{Postgres, TenantTransaction},
};

/// How many entries are in memory at once.
const AT_ONCE: i64 = 1000;

/// What became of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All entries follow each other, from the first to the head.
    Whole { entries: i64 },
    /// The first number that does not follow: its entry was altered, is missing, or does not belong there.
    Broken { number: i64 },
}

/// Walks an academy's chain from its first entry to its head, a batch at a time, as it is at one moment.
pub async fn verify(postgres: &Postgres, tenant: TenantId) -> Result<Verdict, StoreError> {
    let mut tx = postgres.tenant(tenant).await?;
    see_one_moment(&mut tx).await?;
    let head = find_head(&mut tx).await?.unwrap_or(Head { number: 0, hash: BEFORE_ALL });
    let mut last = Head { number: 0, hash: BEFORE_ALL };
    let mut after = i64::MIN;
    loop {
        let batch = entries_after(&mut tx, after, AT_ONCE).await?;
        for stored in &batch {
            let Some(place) = stored.place_behind(tenant, &last) else {
                return Ok(Verdict::Broken { number: stored.number.min(last.number + 1) });
            };
            last = place;
        }
        let Some(newest) = batch.last() else { break };
        after = newest.number;
    }
    tx.rollback().await?;
    if last == head {
        return Ok(Verdict::Whole { entries: last.number });
    }
    // Entries are missing behind the last one, or stand behind the head; or the head itself is not what it was.
    Ok(Verdict::Broken {
        number: if last.number == head.number { last.number } else { last.number.min(head.number) + 1 },
    })
}

/// An entry as it is stored, with its place.
struct Stored {
    number: i64,
    entry: NewEntry,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    /// Its number and hash, if it is what was written behind `last`.
    fn place_behind(&self, tenant: TenantId, last: &Head) -> Option<Head> {
        let hash = entry_hash(tenant, self.number, &self.entry, &last.hash);
        let follows = self.number == last.number + 1 && self.previous_hash == last.hash && self.hash == hash;
        follows.then_some(Head { number: self.number, hash })
    }
}

/// Lets every statement of the transaction see the same rows. Before the first one only.
async fn see_one_moment(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(tx.connection()).await?;
    Ok(())
}

pub(super) async fn find_head(tx: &mut TenantTransaction) -> Result<Option<Head>, StoreError> {
    let row = sqlx::query("SELECT number, hash FROM audit_head WHERE tenant_id = $1")
        .bind(tx.tenant().as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(super::head).transpose()
}

/// Entries of higher numbers than this one, in order.
async fn entries_after(
    tx: &mut TenantTransaction,
    number: i64,
    limit: i64,
) -> Result<Vec<Stored>, StoreError> {
    let rows = sqlx::query(
        "SELECT number, id, at, action, actor, target, origin, sealed_for, change, previous_hash, hash
         FROM audit_entry WHERE tenant_id = $1 AND number > $2 ORDER BY number LIMIT $3",
    )
    .bind(tx.tenant().as_uuid())
    .bind(number)
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(stored).collect()
}

fn stored(row: &PgRow) -> Result<Stored, StoreError> {
    let change: Option<Json<_>> = row.try_get("change")?;
    let entry = NewEntry {
        id: AuditId::from_uuid(row.try_get("id")?),
        at: Timestamp::from_millis(row.try_get("at")?),
        action: row.try_get("action")?,
        actor: row.try_get::<Option<_>, _>("actor")?.map(UserId::from_uuid),
        target: row.try_get("target")?,
        origin: row.try_get("origin")?,
        sealed_for: row.try_get::<Option<_>, _>("sealed_for")?.map(UserId::from_uuid),
        change: change.map(|Json(change)| change),
    };
    Ok(Stored {
        number: row.try_get("number")?,
        entry,
        previous_hash: row.try_get("previous_hash")?,
        hash: row.try_get("hash")?,
    })
}
