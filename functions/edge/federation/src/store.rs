//! The function's SQL: one function a statement.

use akademi_domain::{
    ids::{IdentityId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{Row, StoreError, TenantDatabase, TenantSql, TenantStatement};
use akademi_identity::{Granted, roles_of_person};

use crate::{identities::IdentityEntry, providers::ProviderFace};

/// By name; an academy has few.
pub async fn list_providers(database: &TenantDatabase<'_>) -> Result<Vec<ProviderFace>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, name, kind FROM identity_provider WHERE tenant_id = ?1 ORDER BY name, id LIMIT 100",
    );
    let rows = database.rows(SQL.with([])).await?;
    let face = |row: &Row| {
        Ok(ProviderFace {
            id: row.text(0)?.to_owned(),
            name: row.text(1)?.to_owned(),
            kind: row.text(2)?.to_owned(),
        })
    };
    rows.iter().map(face).collect()
}

pub async fn has_provider(database: &TenantDatabase<'_>, provider: &str) -> Result<bool, StoreError> {
    const SQL: TenantSql =
        TenantSql::new("SELECT 1 AS found FROM identity_provider WHERE tenant_id = ?1 AND id = ?2");
    Ok(database.row(SQL.with([provider.into()])).await?.is_some())
}

pub struct NewSignIn<'a> {
    pub browser: &'a [u8; 32],
    pub provider: &'a str,
    pub issuer: &'a str,
    pub names_issuer: bool,
    pub redirect_uri: &'a str,
    pub return_to: &'a str,
    pub expires_at: Timestamp,
}

pub fn insert_sign_in(new: NewSignIn<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO provider_sign_in \
         (tenant_id, browser, provider, issuer, names_issuer, redirect_uri, return_to, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    );
    SQL.with([
        new.browser.as_slice().into(),
        new.provider.into(),
        new.issuer.into(),
        new.names_issuer.into(),
        new.redirect_uri.into(),
        new.return_to.into(),
        new.expires_at.into(),
    ])
}

/// Those whose time is over.
pub fn forget_expired(now: Timestamp) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM provider_sign_in WHERE tenant_id = ?1 AND expires_at <= ?2");
    SQL.with([now.into()])
}

/// A browser on its way.
pub struct SignIn {
    pub provider: String,
    pub issuer: String,
    pub names_issuer: bool,
    pub redirect_uri: String,
    pub return_to: String,
    pub code: Option<Vec<u8>>,
    pub subject_lookup: Option<[u8; 32]>,
    pub email_lookup: Option<[u8; 32]>,
}

pub async fn find_sign_in(
    database: &TenantDatabase<'_>,
    browser: &[u8; 32],
    now: Timestamp,
) -> Result<Option<SignIn>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT provider, issuer, names_issuer, redirect_uri, return_to, code, subject_lookup, email_lookup \
         FROM provider_sign_in WHERE tenant_id = ?1 AND browser = ?2 AND expires_at > ?3",
    );
    let row = database.row(SQL.with([browser.as_slice().into(), now.into()])).await?;
    row.map(|row| {
        Ok(SignIn {
            provider: row.text(0)?.to_owned(),
            issuer: row.text(1)?.to_owned(),
            names_issuer: row.boolean(2)?,
            redirect_uri: row.text(3)?.to_owned(),
            return_to: row.text(4)?.to_owned(),
            code: row.optional_blob(5)?.map(<[u8]>::to_vec),
            subject_lookup: lookup(&row, 6)?,
            email_lookup: lookup(&row, 7)?,
        })
    })
    .transpose()
}

fn lookup(row: &Row, column: usize) -> Result<Option<[u8; 32]>, StoreError> {
    let bytes = row.optional_blob(column)?.map(<[u8; 32]>::try_from).transpose();
    bytes.map_err(|_| StoreError::Engine("a lookup has 32 bytes".into()))
}

/// A batch's condition: the browser is at the provider.
pub fn is_away(browser: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM provider_sign_in \
         WHERE tenant_id = ?1 AND browser = ?2 AND code IS NULL AND subject_lookup IS NULL))",
    );
    SQL.with([browser.as_slice().into()])
}

/// A batch's condition: it has come back with a code.
pub fn has_come_back(browser: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM provider_sign_in \
         WHERE tenant_id = ?1 AND browser = ?2 AND code IS NOT NULL))",
    );
    SQL.with([browser.as_slice().into()])
}

/// A batch's condition: it waits for its owner's word.
pub fn is_waiting(browser: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM provider_sign_in \
         WHERE tenant_id = ?1 AND browser = ?2 AND subject_lookup IS NOT NULL))",
    );
    SQL.with([browser.as_slice().into()])
}

pub fn set_code(browser: &[u8; 32], sealed: &[u8]) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("UPDATE provider_sign_in SET code = ?3 WHERE tenant_id = ?1 AND browser = ?2");
    SQL.with([browser.as_slice().into(), sealed.into()])
}

pub fn delete_sign_in(browser: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM provider_sign_in WHERE tenant_id = ?1 AND browser = ?2");
    SQL.with([browser.as_slice().into()])
}

pub struct NewWaiting<'a> {
    pub browser: &'a [u8; 32],
    pub of: &'a SignIn,
    pub subject_lookup: &'a [u8; 32],
    pub email_lookup: Option<&'a [u8; 32]>,
    pub expires_at: Timestamp,
}

/// The browser's owner is known to the provider, and to no account yet.
pub fn insert_waiting(new: NewWaiting<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO provider_sign_in (tenant_id, browser, provider, issuer, names_issuer, redirect_uri, return_to, \
         subject_lookup, email_lookup, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    );
    SQL.with([
        new.browser.as_slice().into(),
        new.of.provider.as_str().into(),
        new.of.issuer.as_str().into(),
        new.of.names_issuer.into(),
        new.of.redirect_uri.as_str().into(),
        new.of.return_to.as_str().into(),
        new.subject_lookup.as_slice().into(),
        new.email_lookup.map(|lookup| lookup.to_vec()).into(),
        new.expires_at.into(),
    ])
}

/// Somebody whose identity is known.
pub struct Linked {
    pub id: UserId,
    pub active: bool,
    pub has_second_factor: bool,
    pub wrapped_key: Vec<u8>,
    pub granted: Granted,
}

pub async fn find_linked(
    database: &TenantDatabase<'_>,
    subject_lookup: &[u8; 32],
) -> Result<Option<Linked>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT person.id, state = 'active' AS active, totp_secret IS NOT NULL AS second, wrapped, ",
        roles_of_person!(),
        " FROM identity \
         JOIN person ON person.tenant_id = identity.tenant_id AND person.id = identity.person_id \
         JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_key.person_id = person.id \
         WHERE identity.tenant_id = ?1 AND subject_lookup = ?2",
    ));
    let row = database.row(SQL.with([subject_lookup.as_slice().into()])).await?;
    row.map(|row| {
        Ok(Linked {
            id: row.parse(0)?,
            active: row.boolean(1)?,
            has_second_factor: row.boolean(2)?,
            wrapped_key: row.blob(3)?.to_vec(),
            granted: Granted::read(&row, 4)?,
        })
    })
    .transpose()
}

/// A batch's condition: neither the address nor the identity is anybody's.
pub fn nobody_is_known(email_lookup: &[u8; 32], subject_lookup: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 WHERE \
         NOT EXISTS (SELECT 1 FROM person WHERE tenant_id = ?1 AND email_lookup = ?2) AND \
         NOT EXISTS (SELECT 1 FROM identity WHERE tenant_id = ?1 AND subject_lookup = ?3)))",
    );
    SQL.with([email_lookup.as_slice().into(), subject_lookup.as_slice().into()])
}

pub struct NewIdentity<'a> {
    pub id: IdentityId,
    pub person: UserId,
    pub provider: &'a str,
    pub subject_lookup: &'a [u8; 32],
    pub now: Timestamp,
}

pub fn insert_identity(new: NewIdentity<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO identity (tenant_id, id, person_id, provider, subject_lookup, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    );
    SQL.with([
        new.id.into(),
        new.person.into(),
        new.provider.into(),
        new.subject_lookup.as_slice().into(),
        new.now.into(),
    ])
}

/// Oldest first; somebody has few.
pub async fn list_identities(
    database: &TenantDatabase<'_>,
    person: UserId,
) -> Result<Vec<IdentityEntry>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, provider, created_at FROM identity WHERE tenant_id = ?1 AND person_id = ?2 \
         ORDER BY created_at, id LIMIT 100",
    );
    let rows = database.rows(SQL.with([person.into()])).await?;
    let entry = |row: &Row| {
        Ok(IdentityEntry {
            id: row.parse(0)?,
            provider: row.text(1)?.to_owned(),
            created_at: row.timestamp(2)?,
        })
    };
    rows.iter().map(entry).collect()
}

pub fn delete_identity(person: UserId, identity: IdentityId) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM identity WHERE tenant_id = ?1 AND person_id = ?2 AND id = ?3");
    SQL.with([person.into(), identity.into()])
}

/// Whose identity it is.
pub struct Owner {
    pub identity: IdentityId,
    pub person: UserId,
    pub profile: Vec<u8>,
    pub wrapped_key: Vec<u8>,
}

/// By an identity that was linked in the second of `until` or before.
pub async fn find_owner(
    database: &TenantDatabase<'_>,
    subject_lookup: &[u8; 32],
    until: Timestamp,
) -> Result<Option<Owner>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT identity.id, identity.person_id, profile, wrapped FROM identity \
         JOIN person ON person.tenant_id = identity.tenant_id AND person.id = identity.person_id \
         JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_key.person_id = person.id \
         WHERE identity.tenant_id = ?1 AND subject_lookup = ?2 AND identity.created_at < ?3",
    );
    let row =
        database.row(SQL.with([subject_lookup.as_slice().into(), until.plus_seconds(1).into()])).await?;
    row.map(|row| {
        Ok(Owner {
            identity: row.parse(0)?,
            person: row.parse(1)?,
            profile: row.blob(2)?.to_vec(),
            wrapped_key: row.blob(3)?.to_vec(),
        })
    })
    .transpose()
}

/// A batch's condition: the identity is linked.
pub fn is_linked(identity: IdentityId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM identity WHERE tenant_id = ?1 AND id = ?2))",
    );
    SQL.with([identity.into()])
}

/// Browsers that wait for the word of an identity's owner.
pub fn delete_waiting(subject_lookup: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM provider_sign_in WHERE tenant_id = ?1 AND subject_lookup = ?2");
    SQL.with([subject_lookup.as_slice().into()])
}

/// Keeps that nothing is kept: once for each code, the last time that it was so.
pub fn confirm_deletion(code: &str, provider: &str, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO provider_deletion (tenant_id, code, provider, deleted_at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (tenant_id, code) DO UPDATE SET deleted_at = excluded.deleted_at",
    );
    SQL.with([code.into(), provider.into(), now.into()])
}

/// When it was done.
pub async fn find_deletion(
    database: &TenantDatabase<'_>,
    code: &str,
) -> Result<Option<Timestamp>, StoreError> {
    const SQL: TenantSql =
        TenantSql::new("SELECT deleted_at FROM provider_deletion WHERE tenant_id = ?1 AND code = ?2");
    database.row(SQL.with([code.into()])).await?.map(|row| row.timestamp(0)).transpose()
}
