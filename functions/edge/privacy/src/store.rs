//! The function's SQL: one function a statement.

mod consents;
mod records;

pub use consents::*;
pub use records::*;

use akademi_domain::ids::UserId;
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql};
use akademi_identity::{Granted, roles_of_person};

/// What somebody may do, in whatever state they are.
pub async fn find_granted(
    database: &TenantDatabase<'_>,
    person: UserId,
) -> Result<Option<Granted>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT ",
        roles_of_person!(),
        " FROM person WHERE person.tenant_id = ?1 AND person.id = ?2"
    ));
    let row = database.row(SQL.with([person.into()])).await?;
    row.map(|row| Granted::read(&row, 0)).transpose()
}
