//! The statements that several functions share.

mod consents;
mod invitations;
mod people;
mod second_factor;
mod sessions;

pub use consents::*;
pub use invitations::*;
pub use people::*;
pub use second_factor::*;
pub use sessions::*;

use akademi_domain::{ids::UserId, throttle::Failures, time::Timestamp};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement, Value};

use crate::throttle::Known;

/// Gives a role by its name or id. A second time it changes nothing.
pub fn assign_role(person: UserId, role: &str) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO role_assignment (tenant_id, person_id, role) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    );
    SQL.with([person.into(), role.into()])
}

pub(crate) async fn find_throttle(
    database: &TenantDatabase<'_>,
    key: &[u8; 32],
) -> Result<Option<Known>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT failures, failed_at, refused_until, trusted FROM throttle WHERE tenant_id = ?1 AND key = ?2",
    );
    let row = database.row(SQL.with([key.as_slice().into()])).await?;
    row.map(|row| {
        Ok(Known {
            failures: Failures {
                count: u32::try_from(row.integer(0)?).unwrap_or(u32::MAX),
                at: row.timestamp(1)?,
            },
            refused_until: row.timestamp(2)?,
            is_trusted: row.boolean(3)?,
        })
    })
    .transpose()
}

pub(crate) fn count_attempt(key: &[u8; 32], failures: Failures, refused_until: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO throttle (tenant_id, key, failures, failed_at, refused_until, trusted) \
         VALUES (?1, ?2, ?3, ?4, ?5, 0) ON CONFLICT (tenant_id, key) DO UPDATE SET \
         failures = excluded.failures, failed_at = excluded.failed_at, refused_until = excluded.refused_until",
    );
    SQL.with([
        key.as_slice().into(),
        i64::from(failures.count).into(),
        failures.at.into(),
        refused_until.into(),
    ])
}

/// A batch's condition: these counters, at most four, stand as they were read.
pub(crate) fn counts_are(read: &[([u8; 32], u32)]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 WHERE ?1 IS NOT NULL AND NOT EXISTS ( \
         SELECT 1 FROM (SELECT ?2 AS key, ?3 AS failures UNION ALL SELECT ?4, ?5 UNION ALL SELECT ?6, ?7 \
         UNION ALL SELECT ?8, ?9) AS expected \
         WHERE expected.key IS NOT NULL AND expected.failures <> COALESCE((SELECT throttle.failures FROM throttle \
         WHERE tenant_id = ?1 AND throttle.key = expected.key), 0))))",
    );
    let mut params: Vec<Value> = Vec::with_capacity(8);
    for slot in 0..4 {
        let (key, count) = read.get(slot).map_or((Value::Null, Value::Null), |(key, count)| {
            (key.as_slice().into(), i64::from(*count).into())
        });
        params.extend([key, count]);
    }
    SQL.with(params)
}

/// One attempt less: it did not fail.
pub(crate) fn take_back_attempt(key: &[u8; 32], refused_until: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE throttle SET failures = max(failures - 1, 0), refused_until = ?3 \
         WHERE tenant_id = ?1 AND key = ?2",
    );
    SQL.with([key.as_slice().into(), refused_until.into()])
}

/// Writes a row as it is.
pub(crate) fn keep_throttle(key: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("UPDATE throttle SET failures = failures WHERE tenant_id = ?1 AND key = ?2");
    SQL.with([key.as_slice().into()])
}

/// Whoever is counted there has shown who they are.
pub(crate) fn trust(key: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO throttle (tenant_id, key, failures, failed_at, refused_until, trusted) \
         VALUES (?1, ?2, 0, 0, 0, 1) ON CONFLICT (tenant_id, key) DO UPDATE SET \
         failures = 0, refused_until = 0, trusted = 1",
    );
    SQL.with([key.as_slice().into()])
}
