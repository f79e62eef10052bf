//! The function's SQL: one function a statement.

use akademi_domain::{
    ids::{AuditId, UserId},
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use serde_json::Value;
use sqlx::{Postgres, QueryBuilder, Row, postgres::PgRow, types::Json};

use crate::filter::Filter;

/// An entry as it is read.
pub struct Entry {
    pub number: i64,
    pub id: AuditId,
    pub at: Timestamp,
    pub action: String,
    pub actor: Option<UserId>,
    pub target: String,
    pub origin: SealedOrigin,
    pub change: Option<Value>,
}

/// From where, and what opens it.
pub struct SealedOrigin {
    /// Empty where nothing was sealed.
    pub bytes: Vec<u8>,
    pub person: Option<UserId>,
    /// `None` once the person was erased.
    pub wrapped_key: Option<Vec<u8>>,
}

/// Where a page begins: after this entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub at: Timestamp,
    pub number: i64,
}

/// Entries after this one that fit, newest first.
pub async fn newest_entries(
    tx: &mut TenantTransaction,
    filter: &Filter,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    let tenant = tx.tenant().as_uuid();
    let rows = select(tenant, filter, after, limit).build().fetch_all(tx.connection()).await?;
    rows.iter().map(entry).collect()
}

/// Only the conditions that are asked for, so that each way of asking has a plan of its own.
fn select(
    tenant: sqlx::types::Uuid,
    filter: &Filter,
    after: Option<Position>,
    limit: i64,
) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(
        "SELECT number, id, at, action, actor, target, origin, sealed_for, change, wrapped FROM audit_entry
         LEFT JOIN person_key ON person_key.tenant_id = audit_entry.tenant_id AND person_key.user_id = sealed_for
         WHERE audit_entry.tenant_id = ",
    );
    sql.push_bind(tenant);
    if let Some(action) = &filter.action {
        sql.push(" AND action = ").push_bind(action.clone());
    }
    if let Some(actor) = filter.actor {
        sql.push(" AND actor = ").push_bind(actor.as_uuid());
    }
    if let Some(target) = &filter.target {
        sql.push(" AND target = ").push_bind(target.clone());
    }
    if let Some(from) = filter.from {
        sql.push(" AND at >= ").push_bind(from.as_millis());
    }
    if let Some(to) = filter.to {
        sql.push(" AND at < ").push_bind(to.as_millis());
    }
    if let Some(Position { at, number }) = after {
        sql.push(" AND (at, number) < (").push_bind(at.as_millis()).push(", ").push_bind(number).push(")");
    }
    sql.push(" ORDER BY at DESC, number DESC LIMIT ").push_bind(limit);
    sql
}

fn entry(row: &PgRow) -> Result<Entry, StoreError> {
    let change: Option<Json<_>> = row.try_get("change")?;
    Ok(Entry {
        number: row.try_get("number")?,
        id: AuditId::from_uuid(row.try_get("id")?),
        at: Timestamp::from_millis(row.try_get("at")?),
        action: row.try_get("action")?,
        actor: row.try_get::<Option<_>, _>("actor")?.map(UserId::from_uuid),
        target: row.try_get("target")?,
        origin: SealedOrigin {
            bytes: row.try_get("origin")?,
            person: row.try_get::<Option<_>, _>("sealed_for")?.map(UserId::from_uuid),
            wrapped_key: row.try_get("wrapped")?,
        },
        change: change.map(|Json(change)| change),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_lambda_store::testing::TestDatabase;
    use sqlx::{AssertSqlSafe, types::Uuid};

    #[tokio::test]
    async fn a_page_is_read_from_an_index_in_its_order_whatever_is_asked() {
        let database = TestDatabase::new().await.unwrap();
        let mut superuser = database.superuser().await.unwrap();
        sqlx::raw_sql(
            "INSERT INTO audit_entry (tenant_id, number, id, at, action, actor, target, origin, previous_hash, hash)
             SELECT lpad(to_hex(t), 32, '0')::uuid, n, gen_random_uuid(), n, 'a' || n % 50,
                    lpad(to_hex(n % 50), 32, '0')::uuid, 't' || n % 50, '', sha256('a'), sha256('a')
             FROM generate_series(1, 2) AS t, generate_series(1, 20000) AS n;
             ANALYZE; SET plan_cache_mode = force_generic_plan",
        )
        .execute(&mut superuser)
        .await
        .unwrap();
        let at = |millis| Some(Timestamp::from_millis(millis));
        for (filter, index) in [
            (Filter::default(), "audit_entry_newest"),
            (Filter { from: at(10), to: at(9000), ..Filter::default() }, "audit_entry_newest"),
            (Filter { action: Some("a7".into()), ..Filter::default() }, "audit_entry_of_action"),
            (
                Filter { actor: Some(UserId::from_uuid(Uuid::from_u128(7))), ..Filter::default() },
                "audit_entry_of_actor",
            ),
            (
                Filter { target: Some("t7".into()), to: at(9000), ..Filter::default() },
                "audit_entry_of_target",
            ),
        ] {
            let after = Some(Position { at: Timestamp::from_millis(15_000), number: 15_000 });
            let mut sql = select(Uuid::from_u128(1), &filter, after, 20);
            let explain = AssertSqlSafe(format!("EXPLAIN {}", sql.sql().as_str()));
            let arguments = sql.build();
            let arguments = sqlx::Execute::take_arguments(&mut { arguments }).unwrap().unwrap();
            let lines: Vec<String> =
                sqlx::query_scalar_with(explain, arguments).fetch_all(&mut superuser).await.unwrap();
            let plan = lines.join("\n");
            assert!(plan.contains(index) && !plan.contains("Sort"), "{filter:?}: {plan}");
        }
    }
}
