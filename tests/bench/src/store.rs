//! The program's SQL: what registration would have left of a learner, and what a heartbeat would be if it were one
//! number in one row.

use akademi_domain::{
    ids::{TenantId, UserId},
    permission::Role,
    time::Timestamp,
};
use akademi_edge_store::{Platform, Statement, TenantSql};
use rusqlite::{Connection, Result, params};
use std::path::Path;

/// A person with the keyed hash of their address and their password's PHC string.
pub fn insert_person(
    tenant: TenantId,
    person: UserId,
    email_lookup: [u8; 32],
    profile: &[u8],
    password_hash: &str,
    now: Timestamp,
) -> Statement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, 'active', 1, ?6)",
    );
    let params =
        [person.into(), email_lookup.as_slice().into(), profile.into(), password_hash.into(), now.into()];
    Platform::of_tenant(tenant, SQL.with(params))
}

pub fn assign_role(tenant: TenantId, person: UserId, role: Role) -> Statement {
    const SQL: TenantSql =
        TenantSql::new("INSERT INTO role_assignment (tenant_id, person_id, role) VALUES (?1, ?2, ?3)");
    Platform::of_tenant(tenant, SQL.with([person.into(), role.name().into()]))
}

pub fn insert_person_key(tenant: TenantId, person: UserId, wrapped: &[u8]) -> Statement {
    const SQL: TenantSql =
        TenantSql::new("INSERT INTO person_key (tenant_id, person_id, wrapped) VALUES (?1, ?2, ?3)");
    Platform::of_tenant(tenant, SQL.with([person.into(), wrapped.into()]))
}

/// Writes the whole database into a file that is not there yet.
pub fn copy_to(connection: &Connection, file: &Path) -> Result<()> {
    connection.execute("VACUUM INTO ?1", [file.to_string_lossy()]).map(drop)
}

pub fn create_table(connection: &Connection) -> Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS seen (learner INTEGER NOT NULL PRIMARY KEY, seconds INTEGER NOT NULL) STRICT",
    )
}

pub fn upsert(connection: &Connection, learner: u32, seconds: u32) -> Result<()> {
    const SQL: &str = "INSERT INTO seen (learner, seconds) VALUES (?1, ?2) \
                       ON CONFLICT (learner) DO UPDATE SET seconds = excluded.seconds";
    connection.prepare_cached(SQL)?.execute(params![learner, seconds]).map(drop)
}
