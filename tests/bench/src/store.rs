//! The program's SQL: what registration would have left of a learner, and what a heartbeat would be if it were one
//! number in one row.

use akademi_domain::ids::{TenantId, UserId};
use akademi_edge_store::{Platform, Statement, TenantSql};
use rusqlite::{Connection, Result, params};

pub fn insert_person_key(tenant: TenantId, person: UserId, wrapped: &[u8]) -> Statement {
    const SQL: TenantSql =
        TenantSql::new("INSERT INTO person_key (tenant_id, person_id, wrapped) VALUES (?1, ?2, ?3)");
    Platform::of_tenant(tenant, SQL.with([person.into(), wrapped.into()]))
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
