//! The function's SQL: one function a statement.

use akademi_domain::{
    ids::{LinkId, MailId, OrderId, UserId},
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};

use crate::mails::MailState;

/// A mail that waits to be sent.
pub struct QueuedMail {
    pub id: MailId,
    /// A `MailKind` by its name.
    pub kind: String,
    pub person: UserId,
    pub sealed_recipient: Vec<u8>,
    /// The person's key; `None` once the person was erased.
    pub wrapped_key: Option<Vec<u8>>,
    pub link: Option<LinkId>,
    pub order: Option<OrderId>,
    pub host: String,
    pub locale: String,
    pub created_at: Timestamp,
    pub queued_at: Timestamp,
}

/// `None` for a mail that does not wait.
pub async fn find_queued_mail(
    tx: &mut TenantTransaction,
    id: MailId,
) -> Result<Option<QueuedMail>, StoreError> {
    let row = sqlx::query(
        "SELECT kind, person_id, sealed_recipient, wrapped, link_id, order_id, host, locale, created_at, queued_at
         FROM mail
         LEFT JOIN person_key ON person_key.tenant_id = $1 AND person_key.user_id = mail.person_id
         WHERE mail.tenant_id = $1 AND id = $2 AND state = 'queued'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        Ok(QueuedMail {
            id,
            kind: row.try_get("kind")?,
            person: UserId::from_uuid(row.try_get("person_id")?),
            sealed_recipient: row.try_get("sealed_recipient")?,
            wrapped_key: row.try_get("wrapped")?,
            link: row.try_get::<Option<_>, _>("link_id")?.map(LinkId::from_uuid),
            order: row.try_get::<Option<_>, _>("order_id")?.map(OrderId::from_uuid),
            host: row.try_get("host")?,
            locale: row.try_get("locale")?,
            created_at: Timestamp::from_millis(row.try_get("created_at")?),
            queued_at: Timestamp::from_millis(row.try_get("queued_at")?),
        })
    })
    .transpose()
}

/// The academy's name and `#rrggbb`.
pub async fn find_academy(tx: &mut TenantTransaction) -> Result<Option<(String, String)>, StoreError> {
    let row =
        sqlx::query("SELECT name, COALESCE(brand ->> 'colour', '') AS colour FROM tenant WHERE id = $1")
            .bind(tx.tenant().as_uuid())
            .fetch_optional(tx.connection())
            .await?;
    row.map(|row| Ok((row.try_get("name")?, row.try_get("colour")?))).transpose()
}

pub async fn mark_sent(tx: &mut TenantTransaction, id: MailId, at: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE mail SET state = 'sent', attempts = attempts + 1, reason = NULL, sent_at = $3
         WHERE tenant_id = $1 AND id = $2 AND state = 'queued'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// An attempt sent nothing: the mail waits for another one, or has failed.
pub async fn mark_unsent(
    tx: &mut TenantTransaction,
    id: MailId,
    state: MailState,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE mail SET state = $3, attempts = attempts + 1, reason = $4
         WHERE tenant_id = $1 AND id = $2 AND state = 'queued'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(state.name())
    .bind(reason)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Queues a mail that failed; whether it had.
pub async fn queue_failed_mail(
    tx: &mut TenantTransaction,
    id: MailId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let queued = sqlx::query(
        "UPDATE mail SET state = 'queued', queued_at = $3 WHERE tenant_id = $1 AND id = $2 AND state = 'failed'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(queued.rows_affected() == 1)
}

/// A mail as staff see it.
pub struct ListedMail {
    pub id: MailId,
    pub kind: String,
    pub person: UserId,
    pub state: MailState,
    pub attempts: i32,
    pub reason: Option<String>,
    pub created_at: Timestamp,
    pub sent_at: Option<Timestamp>,
}

pub async fn find_mail(tx: &mut TenantTransaction, id: MailId) -> Result<Option<ListedMail>, StoreError> {
    let row = sqlx::query(
        "SELECT id, kind, person_id, state, attempts, reason, created_at, sent_at FROM mail
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(listed).transpose()
}

/// $1 tenant, $2 and $3 moment and id before which the page begins, $4 its length.
const NEWEST: &str = "
SELECT id, kind, person_id, state, attempts, reason, created_at, sent_at FROM mail
WHERE tenant_id = $1 AND (created_at, id) < ($2, $3)
ORDER BY created_at DESC, id DESC LIMIT $4";

/// As [`NEWEST`]; $5 the state.
const NEWEST_IN_STATE: &str = "
SELECT id, kind, person_id, state, attempts, reason, created_at, sent_at FROM mail
WHERE tenant_id = $1 AND state = $5 AND (created_at, id) < ($2, $3)
ORDER BY created_at DESC, id DESC LIMIT $4";

/// Where a page of a list begins: after this mail, or with the newest.
pub type After = Option<(Timestamp, MailId)>;

const BEFORE_ALL: (Timestamp, MailId) =
    (Timestamp::from_millis(i64::MAX), MailId::from_uuid(sqlx::types::Uuid::max()));

/// The academy's mails, newest first.
pub async fn list_mails(
    tx: &mut TenantTransaction,
    after: After,
    limit: i64,
) -> Result<Vec<ListedMail>, StoreError> {
    let (created_at, id) = after.unwrap_or(BEFORE_ALL);
    let rows = sqlx::query(NEWEST)
        .bind(tx.tenant().as_uuid())
        .bind(created_at.as_millis())
        .bind(id.as_uuid())
        .bind(limit)
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(listed).collect()
}

/// Those in one state, newest first.
pub async fn list_mails_in_state(
    tx: &mut TenantTransaction,
    state: MailState,
    after: After,
    limit: i64,
) -> Result<Vec<ListedMail>, StoreError> {
    let (created_at, id) = after.unwrap_or(BEFORE_ALL);
    let rows = sqlx::query(NEWEST_IN_STATE)
        .bind(tx.tenant().as_uuid())
        .bind(created_at.as_millis())
        .bind(id.as_uuid())
        .bind(limit)
        .bind(state.name())
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &PgRow) -> Result<ListedMail, StoreError> {
    Ok(ListedMail {
        id: MailId::from_uuid(row.try_get("id")?),
        kind: row.try_get("kind")?,
        person: UserId::from_uuid(row.try_get("person_id")?),
        state: MailState::from_name(row.try_get("state")?),
        attempts: row.try_get("attempts")?,
        reason: row.try_get("reason")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        sent_at: row.try_get::<Option<i64>, _>("sent_at")?.map(Timestamp::from_millis),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_lambda_store::testing::TestDatabase;
    use sqlx::{AssertSqlSafe, types::Uuid};

    #[tokio::test]
    async fn a_page_is_read_from_the_index_in_its_order_whatever_is_asked() {
        let database = TestDatabase::new().await.unwrap();
        let mut superuser = database.superuser().await.unwrap();
        let seed = "INSERT INTO mail (tenant_id, id, kind, person_id, sealed_recipient, host, locale, state, reason,
                                      created_at, queued_at, sent_at)
                    SELECT lpad(to_hex(t), 32, '0')::uuid, gen_random_uuid(), '', gen_random_uuid(), '', '', '',
                           (ARRAY['queued', 'sent', 'failed'])[n % 3 + 1], '', n, n, CASE n % 3 WHEN 1 THEN n END
                    FROM generate_series(1, 2) AS t, generate_series(1, 20000) AS n;
                    ANALYZE mail; SET plan_cache_mode = force_generic_plan";
        sqlx::raw_sql(seed).execute(&mut superuser).await.unwrap();
        let academy = Uuid::from_u128(1);
        for (name, sql, state, index) in [
            ("newest", NEWEST, "", "mail_newest"),
            ("in_state", NEWEST_IN_STATE, ", 'queued'", "mail_in_state"),
        ] {
            let types = if state.is_empty() { "" } else { ", text" };
            let prepare = format!("PREPARE {name} (uuid, bigint, uuid, bigint{types}) AS {sql}");
            sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut superuser).await.unwrap();
            let explain = format!("EXPLAIN EXECUTE {name} ('{academy}', 10000, '{academy}', 20{state})");
            let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut superuser).await.unwrap();
            let lines: Vec<String> = rows.iter().map(|row| row.try_get(0).unwrap()).collect();
            let plan = lines.join("\n");
            assert!(plan.contains(index) && plan.contains("$1") && !plan.contains("Sort"), "{plan}");
        }
    }
}
