//! Reviews that wait for staff.

use akademi_domain::ids::{ReviewId, UserId};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement};

use super::json;
use crate::approvals::SeenReview;

/// Those of the reviews in `?2` that wait as they were seen, each looked up by its id.
macro_rules! waiting {
    () => {
        "json_each(?2) AS seen CROSS JOIN review ON review.tenant_id = ?1 AND review.id = seen.value ->> 'id' \
         AND review.version = seen.value ->> 'version' AND review.state = 'waiting'"
    };
}

/// Those of the reviews that wait as they were seen; of `owner`'s courses, or everybody's.
pub async fn find_waiting(
    database: &TenantDatabase<'_>,
    seen: &[SeenReview],
    owner: Option<UserId>,
) -> Result<Vec<ReviewId>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT review.id FROM ",
        waiting!(),
        " JOIN course ON course.tenant_id = ?1 AND course.id = review.course_id \
         AND (?3 IS NULL OR course.owner_id = ?3)",
    ));
    let rows = database.rows(SQL.with([json(seen), owner.into()])).await?;
    rows.iter().map(|row| row.parse(0)).collect()
}

/// A batch's condition: all of these still wait as they were seen.
pub fn are_waiting(seen: &[SeenReview]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(concat!(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 WHERE (SELECT count(*) FROM ",
        waiting!(),
        ") = json_array_length(?2)))",
    ));
    SQL.with([json(seen)])
}

/// Shows reviews that wait.
pub fn show_reviews(reviews: &[ReviewId]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE review SET state = 'shown', version = version + 1 \
         WHERE tenant_id = ?1 AND state = 'waiting' AND id IN (SELECT value FROM json_each(?2))",
    );
    SQL.with([json(reviews)])
}
