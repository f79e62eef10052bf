//! Reviews as readers and authors see them.

use akademi_api::paging::Cursor;
use akademi_domain::{
    ids::{CourseId, ReviewId, UserId},
    review::{ReviewFault, StarCounts, Stars},
    time::Timestamp,
};
use akademi_edge_store::{Row, StoreError, TenantDatabase, TenantSql, TenantStatement};
use serde::{Deserialize, Serialize};

use super::{BEHIND_EVERY_ID, Place, course};
use crate::own::{OwnReview, ReviewHiding};

/// Whether others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    Shown,
    /// For staff to approve.
    Waiting,
    Hidden,
}

pub fn stars(row: &Row, column: usize) -> Result<Stars, StoreError> {
    row.integer(column)?
        .try_into()
        .map_err(|_| StoreError::Engine("a review with stars that are none".into()))
}

/// A published course and how many reviews give how many stars.
pub struct RatedCourse {
    pub course: CourseId,
    pub stars: StarCounts,
}

pub async fn find_rated_course(
    database: &TenantDatabase<'_>,
    slug: &str,
) -> Result<Option<RatedCourse>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT course.id, stars_1, stars_2, stars_3, stars_4, stars_5 FROM course LEFT JOIN course_figures \
         ON course_figures.tenant_id = ?1 AND course_figures.course_id = course.id \
         WHERE course.tenant_id = ?1 AND slug = ?2 AND withdrawn_at IS NULL",
    );
    let row = database.row(SQL.with([slug.into()])).await?;
    row.map(|row| {
        let count = |stars: usize| Ok::<_, StoreError>(row.optional_integer(stars)?.unwrap_or(0));
        let stars = StarCounts([count(1)?, count(2)?, count(3)?, count(4)?, count(5)?]);
        Ok(RatedCourse { course: row.parse(0)?, stars })
    })
    .transpose()
}

/// Who wrote a review, sealed; without a key nothing opens it.
pub struct Author {
    pub profile: Vec<u8>,
    pub wrapped_key: Option<Vec<u8>>,
}

impl Author {
    /// Of two columns from `first` on.
    pub fn read(row: &Row, first: usize) -> Result<Self, StoreError> {
        Ok(Self {
            profile: row.blob(first)?.to_vec(),
            wrapped_key: row.optional_blob(first + 1)?.map(<[u8]>::to_vec),
        })
    }
}

/// A review that everybody sees.
pub struct ShownReview {
    pub id: ReviewId,
    pub person: UserId,
    pub author: Author,
    pub stars: Stars,
    pub text: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Newest,
    /// Of as many stars the newest first.
    Highest,
    /// Of as many stars the oldest first.
    Lowest,
}

/// A list of shown reviews, in the order of [`ShownReview`], as an index has them: there is one of all reviews, too.
macro_rules! shown {
    ($index:literal, $($rest:tt)+) => {
        concat!(
            "SELECT review.id, review.person_id, profile, wrapped, stars, text, review.created_at, review.updated_at \
             FROM review INDEXED BY ",
            $index,
            " JOIN person ON person.tenant_id = ?1 AND person.id = review.person_id \
             LEFT JOIN person_key ON person_key.tenant_id = ?1 AND person_key.person_id = review.person_id \
             WHERE review.tenant_id = ?1 AND review.course_id = ?2 AND review.state = 'shown' AND ",
            $($rest)+
        )
    };
}

const BY_AGE: TenantSql =
    TenantSql::new(shown!("review_by_age", "review.id < ?3 ORDER BY review.id DESC LIMIT ?4"));
const FROM_HIGHEST: TenantSql = TenantSql::new(shown!(
    "review_by_stars",
    "stars >= ?5 AND (stars, review.id) < (?6, ?3) ORDER BY stars DESC, review.id DESC LIMIT ?4"
));
const FROM_LOWEST: TenantSql = TenantSql::new(shown!(
    "review_by_stars",
    "stars <= ?5 AND (stars, review.id) > (?6, ?3) ORDER BY stars, review.id LIMIT ?4"
));

/// The shown reviews of a course after this place: all, or those that give so many stars.
pub async fn list_reviews(
    database: &TenantDatabase<'_>,
    course: CourseId,
    (order, only): (Order, Option<Stars>),
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<ShownReview>, StoreError> {
    let (least, most) = only.map_or((1, 5), |stars| (stars.get().into(), stars.get().into()));
    let statement = match order {
        Order::Newest => {
            let id = after.map_or(BEHIND_EVERY_ID.to_owned(), |after| after.id);
            BY_AGE.with([course.into(), id.into(), limit.into()])
        }
        Order::Highest => {
            let after = after.unwrap_or(Cursor { key: most, id: BEHIND_EVERY_ID.to_owned() });
            let key = after.key.min(most);
            FROM_HIGHEST.with([course.into(), after.id.into(), limit.into(), least.into(), key.into()])
        }
        Order::Lowest => {
            let after = after.unwrap_or(Cursor { key: least, id: String::new() });
            let key = after.key.max(least);
            FROM_LOWEST.with([course.into(), after.id.into(), limit.into(), most.into(), key.into()])
        }
    };
    let rows = database.rows(statement).await?;
    rows.iter()
        .map(|row| {
            Ok(ShownReview {
                id: row.parse(0)?,
                person: row.parse(1)?,
                author: Author::read(row, 2)?,
                stars: stars(row, 4)?,
                text: row.optional_text(5)?.map(str::to_owned),
                created_at: row.timestamp(6)?,
                updated_at: row.timestamp(7)?,
            })
        })
        .collect()
}

/// The columns of an [`own_review`].
macro_rules! own_columns {
    () => {
        "id, stars, text, state, hidden_reason, hidden_note, hidden_at, created_at, updated_at"
    };
}

pub fn own_review(row: &Row) -> Result<OwnReview, StoreError> {
    let hidden = hiding(row, 4)?;
    Ok(OwnReview {
        id: row.parse(0)?,
        stars: stars(row, 1)?,
        text: row.optional_text(2)?.map(str::to_owned),
        state: state(row, 3)?,
        hidden,
        created_at: row.timestamp(7)?,
        updated_at: row.timestamp(8)?,
    })
}

pub fn state(row: &Row, column: usize) -> Result<ReviewState, StoreError> {
    match row.text(column)? {
        "shown" => Ok(ReviewState::Shown),
        "waiting" => Ok(ReviewState::Waiting),
        "hidden" => Ok(ReviewState::Hidden),
        _ => Err(StoreError::Engine("a review in a state that is none".into())),
    }
}

/// Why a review is hidden, in three columns from `first` on: NULLs for one that is shown.
pub fn hiding(row: &Row, first: usize) -> Result<Option<ReviewHiding>, StoreError> {
    let Some(reason) = row.optional_text(first)? else { return Ok(None) };
    let unknown = || StoreError::Engine("a review is hidden for a reason that is none".into());
    Ok(Some(ReviewHiding {
        reason: ReviewFault::parse(reason).ok_or_else(unknown)?,
        note: row.optional_text(first + 1)?.map(str::to_owned),
        at: row.timestamp(first + 2)?,
    }))
}

pub async fn find_own_review(
    database: &TenantDatabase<'_>,
    slug: &str,
    person: UserId,
) -> Result<Option<OwnReview>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT ",
        own_columns!(),
        " FROM review WHERE tenant_id = ?1 AND person_id = ?3 AND course_id = ",
        course!(),
    ));
    let row = database.row(SQL.with([slug.into(), person.into()])).await?;
    row.as_ref().map(own_review).transpose()
}

/// That the person `?3` is enrolled in the course `?2`, and has not been suspended.
macro_rules! enrolled {
    () => {
        concat!(
            "SELECT 1 FROM enrolment \
             JOIN person ON person.tenant_id = ?1 AND person.id = ?3 AND person.state = 'active' \
             WHERE enrolment.tenant_id = ?1 AND enrolment.person_id = ?3 AND enrolment.course_id = ",
            course!()
        )
    };
}

/// A batch's condition: the person is enrolled, and [`save_own_review`] changes something.
pub fn own_review_changes(
    (slug, person): Place<'_>,
    (stars, text): (Stars, Option<&str>),
) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(concat!(
        "INSERT INTO guard (ok) VALUES ((",
        enrolled!(),
        " AND NOT EXISTS (SELECT 1 FROM review JOIN tenant ON tenant.id = ?1 WHERE review.tenant_id = ?1 \
         AND review.person_id = ?3 AND review.course_id = enrolment.course_id AND review.stars = ?4 \
         AND review.text IS ?5 AND (review.state <> 'waiting' OR reviews_need_approval))))"
    ));
    SQL.with([slug.into(), person.into(), i64::from(stars).into(), text.map(str::to_owned).into()])
}

/// One's review, if one is enrolled still.
pub async fn find_review_of_enrolled(
    database: &TenantDatabase<'_>,
    (slug, person): Place<'_>,
) -> Result<Option<OwnReview>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT ",
        own_columns!(),
        " FROM review WHERE tenant_id = ?1 AND person_id = ?3 AND course_id = ",
        course!(),
        " AND EXISTS (",
        enrolled!(),
        ")"
    ));
    let row = database.row(SQL.with([slug.into(), person.into()])).await?;
    row.as_ref().map(own_review).transpose()
}

/// Writes one's review under this id, or changes the one that there is; its row is an [`own_review`]. Where reviews need
/// approval it waits, unless it is shown as it was; a hidden one stays hidden.
pub fn save_own_review(
    (slug, person): Place<'_>,
    id: ReviewId,
    (stars, text): (Stars, Option<&str>),
    now: Timestamp,
) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(concat!(
        "INSERT INTO review (tenant_id, id, course_id, person_id, stars, text, state, version, created_at, updated_at) \
         SELECT ?1, ?4, ",
        course!(),
        ", ?3, ?5, ?6, CASE WHEN reviews_need_approval THEN 'waiting' ELSE 'shown' END, 1, ?7, ?7 \
         FROM tenant WHERE tenant.id = ?1 ON CONFLICT (tenant_id, person_id, course_id) DO UPDATE SET \
         state = CASE WHEN review.state = 'hidden' OR (review.state = 'shown' AND review.stars = excluded.stars \
         AND review.text IS excluded.text) THEN review.state ELSE excluded.state END, \
         stars = excluded.stars, text = excluded.text, version = version + 1, updated_at = excluded.updated_at \
         RETURNING ",
        own_columns!()
    ));
    SQL.with([
        slug.into(),
        person.into(),
        id.into(),
        i64::from(stars).into(),
        text.map(str::to_owned).into(),
        now.into(),
    ])
}

/// Deletes one's review, if it is shown or waits.
pub fn delete_own_review((slug, person): Place<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(concat!(
        "DELETE FROM review WHERE tenant_id = ?1 AND person_id = ?3 AND state <> 'hidden' AND course_id = ",
        course!(),
    ));
    SQL.with([slug.into(), person.into()])
}

/// Takes the text from one's review, if it is hidden: it stays hidden, lest writing anew show what staff has hidden.
pub fn empty_own_hidden_review((slug, person): Place<'_>, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(concat!(
        "UPDATE review SET text = NULL, version = version + 1, updated_at = ?4 \
         WHERE tenant_id = ?1 AND person_id = ?3 AND state = 'hidden' AND text IS NOT NULL AND course_id = ",
        course!(),
    ));
    SQL.with([slug.into(), person.into(), now.into()])
}
