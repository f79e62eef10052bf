//! Who has used which code.

use akademi_domain::{
    ids::{ActivationBatchId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{MAX_INTEGER, StoreError, TenantDatabase, TenantSql};

use super::whole;

/// How often the codes from one number to another were used: number and uses, of those that were.
pub async fn list_used_codes(
    database: &TenantDatabase<'_>,
    batch: ActivationBatchId,
    from: u32,
    to: u32,
) -> Result<Vec<(u32, i64)>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT number, uses FROM activation_code WHERE tenant_id = ?1 AND batch_id = ?2 \
         AND number BETWEEN ?3 AND ?4",
    );
    let rows = database.rows(SQL.with([batch.into(), from.into(), to.into()])).await?;
    rows.iter().map(|row| Ok((whole(row, 0)?, row.integer(1)?))).collect()
}

/// A use as the store has it; of somebody who was erased, without what is theirs.
pub struct FoundUse {
    pub code: u32,
    pub person: UserId,
    pub at: Timestamp,
    pub profile: Option<Vec<u8>>,
    pub wrapped_key: Option<Vec<u8>>,
}

/// Where a page of uses ended.
pub struct UsePlace {
    pub at: i64,
    pub person: String,
    pub code: i64,
}

/// A batch's uses after this place, newest first.
pub async fn list_uses(
    database: &TenantDatabase<'_>,
    batch: ActivationBatchId,
    after: Option<UsePlace>,
    limit: i64,
) -> Result<Vec<FoundUse>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT code_number, activation_use.person_id, used_at, profile, wrapped FROM activation_use \
         LEFT JOIN person ON person.tenant_id = activation_use.tenant_id AND person.id = activation_use.person_id \
         LEFT JOIN person_key ON person_key.tenant_id = activation_use.tenant_id \
         AND person_key.person_id = activation_use.person_id \
         WHERE activation_use.tenant_id = ?1 AND batch_id = ?2 \
         AND (used_at, activation_use.person_id, code_number) < (?3, ?4, ?5) \
         ORDER BY used_at DESC, activation_use.person_id DESC, code_number DESC LIMIT ?6",
    );
    let after = after.unwrap_or(UsePlace { at: MAX_INTEGER, person: String::new(), code: 0 });
    let rows = database
        .rows(SQL.with([batch.into(), after.at.into(), after.person.into(), after.code.into(), limit.into()]))
        .await?;
    rows.iter()
        .map(|row| {
            Ok(FoundUse {
                code: whole(row, 0)?,
                person: row.parse(1)?,
                at: row.timestamp(2)?,
                profile: row.optional_blob(3)?.map(<[u8]>::to_vec),
                wrapped_key: row.optional_blob(4)?.map(<[u8]>::to_vec),
            })
        })
        .collect()
}
