//! What holds for whatever staff does to people.

use akademi_api::Problem;
use akademi_edge_store::{StoreError, TenantSql, TenantStatement};
use http::StatusCode;

/// A batch's condition, after its changes: an administrator is left who can sign in.
pub fn somebody_administers() -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM role_assignment \
         JOIN person ON person.tenant_id = role_assignment.tenant_id AND person.id = person_id \
         WHERE role_assignment.tenant_id = ?1 AND role IN ('tenant_admin', 'global_admin') AND state = 'active' LIMIT 1))",
    );
    SQL.with([])
}

/// The end of a batch with such a condition.
pub fn clear_guard() -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("DELETE FROM guard WHERE ?1 IS NOT NULL");
    SQL.with([])
}

/// What a batch with that condition is refused with.
pub fn no_administrator(error: StoreError) -> Problem {
    match error {
        StoreError::Guard => Problem::new(
            StatusCode::CONFLICT,
            "no-administrator",
            "The academy would be left without an active administrator: name another one first.",
        ),
        error => error.into(),
    }
}

/// The caller lacks what the role or the person has.
pub fn beyond_oneself() -> Problem {
    Problem::forbidden().with_detail("You may not give, take or touch what you may not do yourself.")
}

/// Nobody does this to themselves by mistake: there are routes of one's own for that.
pub fn yourself() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "yourself",
        "Nobody does this to themselves: ask somebody else of the staff.",
    )
}
