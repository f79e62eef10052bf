//! Whom mail goes to.

use akademi_domain::ids::UserId;
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql};

/// Somebody active whom a mail goes to.
pub struct Recipient {
    pub id: UserId,
    pub profile: Vec<u8>,
    pub wrapped_key: Vec<u8>,
}

pub async fn find_recipient(
    database: &TenantDatabase<'_>,
    email_lookup: &[u8; 32],
) -> Result<Option<Recipient>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, profile, wrapped FROM person \
         JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_id = person.id \
         WHERE person.tenant_id = ?1 AND email_lookup = ?2 AND state = 'active'",
    );
    let row = database.row(SQL.with([email_lookup.as_slice().into()])).await?;
    row.map(|row| {
        Ok(Recipient {
            id: row.parse(0)?,
            profile: row.blob(1)?.to_vec(),
            wrapped_key: row.blob(2)?.to_vec(),
        })
    })
    .transpose()
}
