//! Second factors and recovery codes.

use akademi_domain::ids::UserId;
use akademi_edge_store::{TenantSql, TenantStatement};

/// A batch's condition: no code of this time step or a later one was used.
pub fn totp_step_is_before(person: UserId, step: i64) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM person \
         WHERE tenant_id = ?1 AND id = ?2 AND totp_secret IS NOT NULL AND totp_step < ?3))",
    );
    SQL.with([person.into(), step.into()])
}

pub fn update_totp_step(person: UserId, step: i64) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("UPDATE person SET totp_step = ?3 WHERE tenant_id = ?1 AND id = ?2");
    SQL.with([person.into(), step.into()])
}

/// A batch's condition.
pub fn recovery_code_is_there(person: UserId, hash: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM recovery_code \
         WHERE tenant_id = ?1 AND person_id = ?2 AND hash = ?3))",
    );
    SQL.with([person.into(), hash.as_slice().into()])
}

pub fn delete_recovery_code(person: UserId, hash: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM recovery_code WHERE tenant_id = ?1 AND person_id = ?2 AND hash = ?3");
    SQL.with([person.into(), hash.as_slice().into()])
}
