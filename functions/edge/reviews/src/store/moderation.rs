//! Reviews as staff sees them, and what readers report.

use akademi_api::paging::Cursor;
use akademi_domain::{
    ids::{CourseId, ReviewId, UserId},
    review::ReviewFault,
    time::Timestamp,
};
use akademi_edge_store::{Row, StoreError, TenantDatabase, TenantSql, TenantStatement, Value};

use super::{Author, BEHIND_EVERY_ID, hiding, json, stars, state};
use crate::{
    moderation::{ListedReviews, ReviewedCourse},
    own::OwnReview,
};

/// A review with what only staff sees.
pub struct FoundReview {
    pub review: OwnReview,
    pub version: i64,
    pub course: ReviewedCourse,
    pub person: UserId,
    pub author: Author,
    /// Those that wait.
    pub reports: i64,
}

/// Which reviews staff sees; `owner`'s courses, or everybody's.
pub struct Wanted {
    pub listed: ListedReviews,
    pub course: Option<CourseId>,
    pub owner: Option<UserId>,
}

macro_rules! for_staff {
    ($($rest:tt)+) => {
        concat!(
            "SELECT review.id, review.version, stars, text, review.state, hidden_reason, hidden_note, hidden_at, \
             review.created_at, review.updated_at, course.id AS course, slug, title, review.person_id, profile, wrapped, \
             (SELECT count(*) FROM review_report WHERE review_report.tenant_id = ?1 \
             AND review_report.review_id = review.id AND settled_at IS NULL) AS reports \
             FROM review JOIN course ON course.tenant_id = ?1 AND course.id = review.course_id \
             JOIN person ON person.tenant_id = ?1 AND person.id = review.person_id \
             LEFT JOIN person_key ON person_key.tenant_id = ?1 AND person_key.person_id = review.person_id \
             WHERE review.tenant_id = ?1 AND (?2 IS NULL OR course.owner_id = ?2) AND ",
            $($rest)+
        )
    };
}

fn found(row: &Row) -> Result<FoundReview, StoreError> {
    let review = OwnReview {
        id: row.parse(0)?,
        stars: stars(row, 2)?,
        text: row.optional_text(3)?.map(str::to_owned),
        state: state(row, 4)?,
        hidden: hiding(row, 5)?,
        created_at: row.timestamp(8)?,
        updated_at: row.timestamp(9)?,
    };
    let (slug, title) = (row.text(11)?.to_owned(), row.text(12)?.to_owned());
    Ok(FoundReview {
        review,
        version: row.integer(1)?,
        course: ReviewedCourse { id: row.parse(10)?, slug, title },
        person: row.parse(13)?,
        author: Author::read(row, 14)?,
        reports: row.integer(16)?,
    })
}

/// Reviews after this place, newest first.
pub async fn list_for_staff(
    database: &TenantDatabase<'_>,
    wanted: &Wanted,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<FoundReview>, StoreError> {
    const BY_STATE: TenantSql = TenantSql::new(for_staff!(
        "review.state = ?6 AND (?3 IS NULL OR review.course_id = ?3) AND review.id < ?4 ORDER BY review.id DESC LIMIT ?5"
    ));
    const REPORTED: TenantSql = TenantSql::new(for_staff!(
        "review.state = 'shown' AND (?3 IS NULL OR review.course_id = ?3) AND review.id < ?4 AND review.id IN \
         (SELECT review_id FROM review_report INDEXED BY review_report_waiting WHERE tenant_id = ?1 AND settled_at IS NULL) \
         ORDER BY review.id DESC LIMIT ?5"
    ));
    let id = after.map_or(BEHIND_EVERY_ID.to_owned(), |after| after.id);
    let by_state = |mut params: Vec<Value>, state: &str| {
        params.push(state.into());
        BY_STATE.with(params)
    };
    let params = vec![wanted.owner.into(), wanted.course.into(), id.into(), limit.into()];
    let statement = match wanted.listed {
        ListedReviews::Reported => REPORTED.with(params),
        ListedReviews::Shown => by_state(params, "shown"),
        ListedReviews::Waiting => by_state(params, "waiting"),
        ListedReviews::Hidden => by_state(params, "hidden"),
    };
    database.rows(statement).await?.iter().map(found).collect()
}

pub async fn find_for_staff(
    database: &TenantDatabase<'_>,
    review: ReviewId,
    owner: Option<UserId>,
) -> Result<Option<FoundReview>, StoreError> {
    const SQL: TenantSql = TenantSql::new(for_staff!("review.id = ?3"));
    let row = database.row(SQL.with([owner.into(), review.into()])).await?;
    row.as_ref().map(found).transpose()
}

/// A batch's condition: neither author nor staff has changed the review since it was seen.
pub fn review_has_version(review: ReviewId, version: i64) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM review WHERE tenant_id = ?1 AND id = ?2 AND version = ?3))",
    );
    SQL.with([review.into(), version.into()])
}

/// Hides a review for a reason and with a note to its author, or shows it.
pub fn set_state(
    review: ReviewId,
    hidden: Option<(ReviewFault, Option<&str>)>,
    now: Timestamp,
) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE review SET state = CASE WHEN ?3 IS NULL THEN 'shown' ELSE 'hidden' END, hidden_reason = ?3, \
         hidden_note = ?4, hidden_at = CASE WHEN ?3 IS NULL THEN NULL ELSE ?5 END, version = version + 1 \
         WHERE tenant_id = ?1 AND id = ?2",
    );
    let (reason, note) = hidden.map_or((None, None), |(reason, note)| (Some(reason.name()), note));
    SQL.with([review.into(), reason.map(str::to_owned).into(), note.map(str::to_owned).into(), now.into()])
}

/// Whatever was reported is decided.
pub fn settle_reports(reviews: &[ReviewId], now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE review_report SET settled_at = ?3 WHERE tenant_id = ?1 AND settled_at IS NULL \
         AND review_id IN (SELECT value FROM json_each(?2))",
    );
    SQL.with([json(reviews), now.into()])
}

/// A batch's condition: the review is shown and somebody else's, and the person has not been suspended.
pub fn may_report(review: ReviewId, person: UserId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM review \
         JOIN person ON person.tenant_id = ?1 AND person.id = ?3 AND person.state = 'active' \
         WHERE review.tenant_id = ?1 AND review.id = ?2 AND review.state = 'shown' AND review.person_id <> ?3))",
    );
    SQL.with([review.into(), person.into()])
}

/// The first report of a person stays; once staff has decided and the author has changed the review since, it waits anew.
pub fn insert_report(
    review: ReviewId,
    person: UserId,
    reason: ReviewFault,
    now: Timestamp,
) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO review_report (tenant_id, review_id, person_id, reason, created_at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant_id, review_id, person_id) DO UPDATE SET reason = excluded.reason, \
         created_at = excluded.created_at, settled_at = NULL WHERE review_report.settled_at < \
         (SELECT updated_at FROM review WHERE review.tenant_id = ?1 AND review.id = ?2)",
    );
    SQL.with([review.into(), person.into(), reason.name().into(), now.into()])
}
