//! People and their passwords.

use akademi_domain::ids::UserId;
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql};
use akademi_identity::{Granted, roles_of_person};

/// What sign-in needs of a person.
pub struct Credentials {
    pub id: UserId,
    pub password_hash: String,
    pub active: bool,
    pub has_second_factor: bool,
    pub wrapped_key: Vec<u8>,
    pub granted: Granted,
}

pub async fn find_credentials(
    database: &TenantDatabase<'_>,
    email_lookup: &[u8; 32],
) -> Result<Option<Credentials>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT id, password_hash, state = 'active' AS active, totp_secret IS NOT NULL AS second, wrapped, ",
        roles_of_person!(),
        " FROM person \
         JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_id = person.id \
         WHERE person.tenant_id = ?1 AND email_lookup = ?2",
    ));
    let row = database.row(SQL.with([email_lookup.as_slice().into()])).await?;
    row.map(|row| {
        Ok(Credentials {
            id: row.parse(0)?,
            password_hash: row.text(1)?.to_owned(),
            active: row.boolean(2)?,
            has_second_factor: row.boolean(3)?,
            wrapped_key: row.blob(4)?.to_vec(),
            granted: Granted::read(&row, 5)?,
        })
    })
    .transpose()
}
