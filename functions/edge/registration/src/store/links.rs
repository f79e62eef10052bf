//! One-time links, and who waits for an account behind one.

use akademi_domain::{
    ids::{LinkId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement};
use akademi_identity::consent::GivenConsent;
use serde_json::json;

use super::recipients::Recipient;

pub struct NewPending<'a> {
    pub link: LinkId,
    pub person: UserId,
    pub email_lookup: &'a [u8; 32],
    pub profile: &'a [u8],
    /// None of an invitation.
    pub password_hash: Option<String>,
    /// Names and ids, separated by commas.
    pub roles: &'a str,
    pub consents: &'a [GivenConsent],
    /// Sealed.
    pub consent_origin: Vec<u8>,
    pub expires_at: Timestamp,
    pub now: Timestamp,
}

pub fn insert_pending(new: NewPending<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO pending_person \
         (tenant_id, id, person_id, email_lookup, profile, password_hash, roles, expires_at, created_at, consents, \
         consent_origin) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    );
    let consents = new.consents.iter();
    let consents: serde_json::Value =
        consents.map(|given| json!([given.kind, given.version, given.language])).collect();
    SQL.with([
        new.link.into(),
        new.person.into(),
        new.email_lookup.as_slice().into(),
        new.profile.into(),
        new.password_hash.into(),
        new.roles.into(),
        new.expires_at.into(),
        new.now.into(),
        consents.to_string().into(),
        new.consent_origin.into(),
    ])
}

/// The statements that remove those whose link has run out, with their keys: nobody can read of them any more.
pub fn forget_expired(now: Timestamp) -> [TenantStatement; 2] {
    const KEYS: TenantSql = TenantSql::new(
        "DELETE FROM person_key WHERE tenant_id = ?1 AND person_id IN \
         (SELECT person_id FROM pending_person WHERE tenant_id = ?1 AND expires_at <= ?2)",
    );
    const PEOPLE: TenantSql =
        TenantSql::new("DELETE FROM pending_person WHERE tenant_id = ?1 AND expires_at <= ?2");
    [KEYS, PEOPLE].map(|sql| sql.with([now.into()]))
}

pub struct Pending {
    pub person: UserId,
    pub email_lookup: Vec<u8>,
    pub profile: Vec<u8>,
    pub password_hash: Option<String>,
    pub roles: String,
    pub wrapped_key: Vec<u8>,
}

pub async fn find_pending(
    database: &TenantDatabase<'_>,
    link: LinkId,
    now: Timestamp,
) -> Result<Option<Pending>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT pending_person.person_id, email_lookup, profile, password_hash, roles, wrapped FROM pending_person \
         JOIN person_key ON person_key.tenant_id = pending_person.tenant_id \
         AND person_key.person_id = pending_person.person_id \
         WHERE pending_person.tenant_id = ?1 AND id = ?2 AND expires_at > ?3",
    );
    let row = database.row(SQL.with([link.into(), now.into()])).await?;
    row.map(|row| {
        Ok(Pending {
            person: row.parse(0)?,
            email_lookup: row.blob(1)?.to_vec(),
            profile: row.blob(2)?.to_vec(),
            password_hash: row.optional_text(3)?.map(str::to_owned),
            roles: row.text(4)?.to_owned(),
            wrapped_key: row.blob(5)?.to_vec(),
        })
    })
    .transpose()
}

/// A batch's condition: nobody has come by this link.
pub fn pending_is_there(link: LinkId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM pending_person WHERE tenant_id = ?1 AND id = ?2))",
    );
    SQL.with([link.into()])
}

pub fn delete_pending(link: LinkId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("DELETE FROM pending_person WHERE tenant_id = ?1 AND id = ?2");
    SQL.with([link.into()])
}

pub fn insert_link(link: LinkId, person: UserId, expires_at: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO one_time_link (tenant_id, id, person_id, expires_at) VALUES (?1, ?2, ?3, ?4)",
    );
    SQL.with([link.into(), person.into(), expires_at.into()])
}

pub fn delete_expired_links(person: UserId, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "DELETE FROM one_time_link WHERE tenant_id = ?1 AND person_id = ?2 AND expires_at <= ?3",
    );
    SQL.with([person.into(), now.into()])
}

/// Whose unused link it is.
pub async fn find_link_owner(
    database: &TenantDatabase<'_>,
    link: LinkId,
    now: Timestamp,
) -> Result<Option<Recipient>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT person.id, profile, wrapped FROM one_time_link \
         JOIN person ON person.tenant_id = one_time_link.tenant_id AND person.id = one_time_link.person_id \
         JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_key.person_id = person.id \
         WHERE one_time_link.tenant_id = ?1 AND one_time_link.id = ?2 AND used_at IS NULL AND expires_at > ?3 \
         AND state = 'active'",
    );
    let row = database.row(SQL.with([link.into(), now.into()])).await?;
    row.map(|row| {
        Ok(Recipient {
            id: row.parse(0)?,
            profile: row.blob(1)?.to_vec(),
            wrapped_key: row.blob(2)?.to_vec(),
        })
    })
    .transpose()
}

/// A batch's condition.
pub fn link_is_unused(link: LinkId, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM one_time_link \
         WHERE tenant_id = ?1 AND id = ?2 AND used_at IS NULL AND expires_at > ?3))",
    );
    SQL.with([link.into(), now.into()])
}
