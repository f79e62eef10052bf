//! Those who wait for an account because staff asked them.

use akademi_domain::{
    ids::{LinkId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{TenantSql, TenantStatement};

pub struct NewInvitation<'a> {
    pub link: LinkId,
    pub person: UserId,
    pub email_lookup: &'a [u8; 32],
    pub profile: &'a [u8],
    /// Names and ids, separated by commas.
    pub roles: &'a str,
    pub expires_at: Timestamp,
    pub now: Timestamp,
}

pub fn insert_invitation(new: NewInvitation<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO pending_person (tenant_id, id, person_id, email_lookup, profile, roles, expires_at, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    );
    SQL.with([
        new.link.into(),
        new.person.into(),
        new.email_lookup.as_slice().into(),
        new.profile.into(),
        new.roles.into(),
        new.expires_at.into(),
        new.now.into(),
    ])
}

/// Earlier invitations of this address are good no more.
pub fn withdraw_invitations(email_lookup: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE pending_person SET expires_at = 0 \
         WHERE tenant_id = ?1 AND email_lookup = ?2 AND password_hash IS NULL",
    );
    SQL.with([email_lookup.as_slice().into()])
}
