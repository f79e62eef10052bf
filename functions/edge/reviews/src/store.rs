//! The function's SQL: one function a statement.

mod approvals;
mod clicks;
mod figures;
mod likes;
mod moderation;
mod reviews;
mod shares;

pub use approvals::*;
pub use clicks::*;
pub use figures::*;
pub use likes::*;
pub use moderation::*;
pub use reviews::*;
pub use shares::*;

use akademi_domain::ids::UserId;
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement, Value};
use serde::Serialize;

/// What somebody does at a course: the course's slug, and who.
pub type Place<'a> = (&'a str, UserId);

/// JSON for a parameter; what these types are made of always serialises.
fn json<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_string(value).unwrap_or_default().into()
}

/// What comes before every review in descending order of ids.
const BEHIND_EVERY_ID: &str = "~";

/// The id of the course whose slug is `?2`.
macro_rules! course {
    () => {
        "(SELECT id FROM course WHERE tenant_id = ?1 AND slug = ?2)"
    };
}
use course;

pub async fn course_exists(database: &TenantDatabase<'_>, slug: &str) -> Result<bool, StoreError> {
    const SQL: TenantSql = TenantSql::new("SELECT 1 AS found FROM course WHERE tenant_id = ?1 AND slug = ?2");
    Ok(database.row(SQL.with([slug.into()])).await?.is_some())
}

/// A batch's condition: there is such a course, perhaps withdrawn.
pub fn has_course(slug: &str) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM course WHERE tenant_id = ?1 AND slug = ?2))",
    );
    SQL.with([slug.into()])
}

/// Public answers are made anew.
pub fn bump_generation() -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("UPDATE tenant SET generation = generation + 1 WHERE id = ?1");
    SQL.with([])
}
