//! Addresses.

use akademi_domain::{
    ids::{AddressId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement};

/// How many addresses somebody has at most.
const MAX_ADDRESSES: i64 = 20;

/// An address as it is kept.
pub struct StoredAddress {
    pub id: AddressId,
    pub sealed: Vec<u8>,
    pub is_default: bool,
    pub created_at: Timestamp,
}

/// Oldest first.
pub async fn list_addresses(
    database: &TenantDatabase<'_>,
    person: UserId,
) -> Result<Vec<StoredAddress>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, address, is_default, created_at FROM address WHERE tenant_id = ?1 AND person_id = ?2 \
         ORDER BY created_at, id LIMIT 100",
    );
    let rows = database.rows(SQL.with([person.into()])).await?;
    rows.iter()
        .map(|row| {
            Ok(StoredAddress {
                id: row.parse(0)?,
                sealed: row.blob(1)?.to_vec(),
                is_default: row.boolean(2)?,
                created_at: row.timestamp(3)?,
            })
        })
        .collect()
}

/// A batch's condition: the person has fewer than [`MAX_ADDRESSES`].
pub fn has_room_for_address(person: UserId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 WHERE \
         (SELECT count(*) FROM address WHERE tenant_id = ?1 AND person_id = ?2) < ?3))",
    );
    SQL.with([person.into(), MAX_ADDRESSES.into()])
}

/// A batch's condition: it is one of the person's.
pub fn has_address(person: UserId, address: AddressId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM address WHERE tenant_id = ?1 AND person_id = ?2 AND id = ?3))",
    );
    SQL.with([person.into(), address.into()])
}

pub fn insert_address(person: UserId, id: AddressId, sealed: &[u8], now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO address (tenant_id, person_id, id, address, is_default, created_at) \
         VALUES (?1, ?2, ?3, ?4, 0, ?5)",
    );
    SQL.with([person.into(), id.into(), sealed.into(), now.into()])
}

pub fn update_address(person: UserId, id: AddressId, sealed: &[u8]) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("UPDATE address SET address = ?4 WHERE tenant_id = ?1 AND person_id = ?2 AND id = ?3");
    SQL.with([person.into(), id.into(), sealed.into()])
}

pub fn delete_address(person: UserId, id: AddressId) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM address WHERE tenant_id = ?1 AND person_id = ?2 AND id = ?3");
    SQL.with([person.into(), id.into()])
}

/// The statements after which one of the person's addresses is the default: `wanted`, or the one that was, or the oldest.
pub fn settle_default(person: UserId, wanted: Option<AddressId>) -> [TenantStatement; 2] {
    const CLEAR: TenantSql = TenantSql::new(
        "UPDATE address SET is_default = 0 \
         WHERE tenant_id = ?1 AND person_id = ?2 AND is_default = 1 AND id <> ?3",
    );
    const SETTLE: TenantSql = TenantSql::new(
        "UPDATE address SET is_default = 1 WHERE tenant_id = ?1 AND person_id = ?2 AND id = coalesce(?3, \
         (SELECT id FROM address WHERE tenant_id = ?1 AND person_id = ?2 \
         ORDER BY is_default DESC, created_at, id LIMIT 1))",
    );
    [CLEAR.with([person.into(), wanted.into()]), SETTLE.with([person.into(), wanted.into()])]
}
