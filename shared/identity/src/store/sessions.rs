//! The beginning and the end of sessions.

use akademi_domain::{
    ids::{SessionId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{TenantSql, TenantStatement};

use crate::session::refresh_token::SessionNonce;

pub struct NewSession<'a> {
    pub id: SessionId,
    pub person: UserId,
    pub nonce: &'a SessionNonce,
    pub device: String,
    pub country: Option<String>,
    pub now: Timestamp,
}

pub fn insert_session(new: NewSession<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO session (tenant_id, id, person_id, nonce, generation, device, created_at, rotated_at, \
         authenticated_at, country) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?6, ?6, ?7)",
    );
    SQL.with([
        new.id.into(),
        new.person.into(),
        new.nonce.as_slice().into(),
        new.device.into(),
        new.now.into(),
        new.country.into(),
    ])
}

pub fn revoke_session(session: SessionId, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE session SET revoked_at = ?3 WHERE tenant_id = ?1 AND id = ?2 AND revoked_at IS NULL",
    );
    SQL.with([session.into(), now.into()])
}

/// All sessions of somebody, but perhaps one.
pub fn revoke_sessions(person: UserId, except: Option<SessionId>, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE session SET revoked_at = ?4 \
         WHERE tenant_id = ?1 AND person_id = ?2 AND id <> ?3 AND revoked_at IS NULL",
    );
    let except = except.map(|session| session.to_string()).unwrap_or_default();
    SQL.with([person.into(), except.into(), now.into()])
}

/// All links of somebody are used up: the password they were for is another one now.
pub fn use_links(person: UserId, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE one_time_link SET used_at = ?3 WHERE tenant_id = ?1 AND person_id = ?2 AND used_at IS NULL",
    );
    SQL.with([person.into(), now.into()])
}
