//! The index of names.

use akademi_domain::ids::UserId;
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement};

/// Somebody whose name the index has not.
pub struct Unindexed {
    pub id: UserId,
    pub version: i64,
    pub profile: Vec<u8>,
    pub wrapped_key: Vec<u8>,
}

pub async fn list_unindexed(database: &TenantDatabase<'_>, limit: i64) -> Result<Vec<Unindexed>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT person.id, version, profile, wrapped FROM person INDEXED BY person_to_index \
         JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_key.person_id = person.id \
         WHERE person.tenant_id = ?1 AND name_indexed = 0 LIMIT ?2",
    );
    let rows = database.rows(SQL.with([limit.into()])).await?;
    rows.iter()
        .map(|row| {
            Ok(Unindexed {
                id: row.parse(0)?,
                version: row.integer(1)?,
                profile: row.blob(2)?.to_vec(),
                wrapped_key: row.blob(3)?.to_vec(),
            })
        })
        .collect()
}

/// The statements that put names into the index, `[[person, version, [number, …]], …]` in JSON. A new name
/// has taken the earlier one out. Whoever has changed since that version, gone, or been put there by another request stays as
/// they are.
pub fn index_names(names: &str) -> [TenantStatement; 2] {
    // One parameter for all of them: a statement takes at most 100.
    const INSERT: TenantSql = TenantSql::new(
        "INSERT INTO person_name_prefix (tenant_id, prefix, created_at, person_id) \
         SELECT ?1, number.value, person.created_at, person.id FROM json_each(?2) AS name \
         JOIN person ON person.tenant_id = ?1 AND person.id = name.value ->> 0 AND version = name.value ->> 1 \
         AND name_indexed = 0 JOIN json_each(name.value, '$[2]') AS number",
    );
    const MARK: TenantSql = TenantSql::new(
        "UPDATE person SET name_indexed = 1 WHERE tenant_id = ?1 AND name_indexed = 0 \
         AND (id, version) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?2))",
    );
    [INSERT, MARK].map(|sql| sql.with([names.into()]))
}
