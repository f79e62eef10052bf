//! Who is known, and how many more may come.

use akademi_domain::time::Timestamp;
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement};

/// Addresses as one parameter: a statement takes at most 100.
fn json(lookups: &[[u8; 32]]) -> String {
    let lookups: serde_json::Value = lookups.iter().map(hex::encode).collect();
    lookups.to_string()
}

/// Which of these addresses have an account, or wait for one because staff asked them.
pub async fn list_known(
    database: &TenantDatabase<'_>,
    lookups: &[[u8; 32]],
    now: Timestamp,
) -> Result<Vec<Vec<u8>>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT email_lookup FROM person WHERE tenant_id = ?1 \
         AND email_lookup IN (SELECT unhex(value) FROM json_each(?2)) \
         UNION SELECT email_lookup FROM pending_person WHERE tenant_id = ?1 \
         AND email_lookup IN (SELECT unhex(value) FROM json_each(?2)) AND password_hash IS NULL AND expires_at > ?3",
    );
    let rows = database.rows(SQL.with([json(lookups).into(), now.into()])).await?;
    rows.iter().map(|row| Ok(row.blob(0)?.to_vec())).collect()
}

/// A batch's condition: still none of them is.
pub fn nobody_is_known(lookups: &[[u8; 32]], now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM person WHERE tenant_id = ?1 \
         AND email_lookup IN (SELECT unhex(value) FROM json_each(?2))) \
         AND NOT EXISTS (SELECT 1 FROM pending_person WHERE tenant_id = ?1 \
         AND email_lookup IN (SELECT unhex(value) FROM json_each(?2)) AND password_hash IS NULL AND expires_at > ?3)))",
    );
    SQL.with([json(lookups).into(), now.into()])
}

/// How many people more the academy may have; none where there is no limit.
pub async fn find_room(database: &TenantDatabase<'_>) -> Result<Option<i64>, StoreError> {
    const SQL: TenantSql =
        TenantSql::new("SELECT max(people_limit - people, 0) AS room FROM tenant WHERE id = ?1");
    let row = database.row(SQL.with([])).await?;
    row.map_or(Ok(None), |row| row.optional_integer(0))
}
