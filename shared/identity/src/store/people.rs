//! A person.

use akademi_domain::{ids::UserId, time::Timestamp};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement};

use crate::{roles::Granted, roles_of_person};

pub struct Person {
    pub profile: Vec<u8>,
    pub wrapped_key: Vec<u8>,
    pub version: i64,
    pub created_at: Timestamp,
    pub password_hash: String,
    pub totp_secret: Option<Vec<u8>>,
    /// The last time step whose code was used.
    pub totp_step: i64,
    pub granted: Granted,
}

pub async fn find_person(
    database: &TenantDatabase<'_>,
    person: UserId,
) -> Result<Option<Person>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT profile, wrapped, version, created_at, password_hash, totp_secret, totp_step, ",
        roles_of_person!(),
        " FROM person \
         JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_id = person.id \
         WHERE person.tenant_id = ?1 AND person.id = ?2 AND state = 'active'",
    ));
    let row = database.row(SQL.with([person.into()])).await?;
    row.map(|row| {
        Ok(Person {
            profile: row.blob(0)?.to_vec(),
            wrapped_key: row.blob(1)?.to_vec(),
            version: row.integer(2)?,
            created_at: row.timestamp(3)?,
            password_hash: row.text(4)?.to_owned(),
            totp_secret: row.optional_blob(5)?.map(<[u8]>::to_vec),
            totp_step: row.integer(6)?,
            granted: Granted::read(&row, 7)?,
        })
    })
    .transpose()
}

/// A batch's condition: nobody has changed the person since it was read.
pub fn person_has_version(person: UserId, version: i64) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES \
         ((SELECT 1 FROM person WHERE tenant_id = ?1 AND id = ?2 AND version = ?3))",
    );
    SQL.with([person.into(), version.into()])
}

/// A batch's condition: the person has a password, or more than one identity and passkey.
pub fn has_another_way_in(person: UserId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM person WHERE tenant_id = ?1 AND id = ?2 AND \
         (password_hash <> '' OR (SELECT count(*) FROM identity WHERE tenant_id = ?1 AND person_id = ?2) + \
         (SELECT count(*) FROM passkey WHERE tenant_id = ?1 AND person_id = ?2) > 1)))",
    );
    SQL.with([person.into()])
}

pub fn update_password(person: UserId, password_hash: String) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE person SET password_hash = ?3, version = version + 1 WHERE tenant_id = ?1 AND id = ?2",
    );
    SQL.with([person.into(), password_hash.into()])
}

pub struct NewPerson<'a> {
    pub id: UserId,
    pub email_lookup: &'a [u8],
    pub profile: &'a [u8],
    pub password_hash: String,
    pub now: Timestamp,
}

pub fn insert_person(new: NewPerson<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, 'active', 1, ?6)",
    );
    SQL.with([
        new.id.into(),
        new.email_lookup.into(),
        new.profile.into(),
        new.password_hash.into(),
        new.now.into(),
    ])
}

/// Whether somebody has this address here.
pub async fn has_account(database: &TenantDatabase<'_>, email_lookup: &[u8; 32]) -> Result<bool, StoreError> {
    const SQL: TenantSql =
        TenantSql::new("SELECT 1 AS found FROM person WHERE tenant_id = ?1 AND email_lookup = ?2");
    Ok(database.row(SQL.with([email_lookup.as_slice().into()])).await?.is_some())
}

pub async fn find_person_key(
    database: &TenantDatabase<'_>,
    person: UserId,
) -> Result<Option<Vec<u8>>, StoreError> {
    const SQL: TenantSql =
        TenantSql::new("SELECT wrapped FROM person_key WHERE tenant_id = ?1 AND person_id = ?2");
    let row = database.row(SQL.with([person.into()])).await?;
    row.map(|row| Ok(row.blob(0)?.to_vec())).transpose()
}

pub fn insert_person_key(person: UserId, wrapped: &[u8]) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("INSERT INTO person_key (tenant_id, person_id, wrapped) VALUES (?1, ?2, ?3)");
    SQL.with([person.into(), wrapped.into()])
}

/// One more of the academy's people. The schema refuses one too many.
pub fn count_person() -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("UPDATE tenant SET people = people + 1 WHERE id = ?1");
    SQL.with([])
}

/// Ends all waiting for this address but that of `person`, who has come. Their keys go when their time is over.
pub fn forget_others(email_lookup: &[u8], person: UserId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE pending_person SET expires_at = 0 WHERE tenant_id = ?1 AND email_lookup = ?2 AND person_id <> ?3",
    );
    SQL.with([email_lookup.into(), person.into()])
}
