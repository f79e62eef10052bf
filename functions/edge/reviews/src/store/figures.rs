//! The counts: a review is taken out before its batch changes it, and put in again as it is then.

use akademi_domain::ids::ReviewId;
use akademi_edge_store::{TenantSql, TenantStatement};

use super::{Place, course, json};

/// The review of `?3` of the course `?2`.
macro_rules! own {
    () => {
        concat!("review.person_id = ?3 AND review.course_id = ", course!())
    };
}

macro_rules! uncount {
    ($($which:tt)+) => {
        concat!(
            "UPDATE course_figures SET stars_1 = stars_1 - (review.stars = 1), stars_2 = stars_2 - (review.stars = 2), \
             stars_3 = stars_3 - (review.stars = 3), stars_4 = stars_4 - (review.stars = 4), \
             stars_5 = stars_5 - (review.stars = 5) FROM review WHERE course_figures.tenant_id = ?1 \
             AND course_figures.course_id = review.course_id AND review.tenant_id = ?1 AND review.state = 'shown' AND ",
            $($which)+
        )
    };
}

macro_rules! count {
    ($($which:tt)+) => {
        concat!(
            "INSERT INTO course_figures (tenant_id, course_id, stars_1, stars_2, stars_3, stars_4, stars_5) \
             SELECT ?1, review.course_id, sum(stars = 1), sum(stars = 2), sum(stars = 3), sum(stars = 4), sum(stars = 5) \
             FROM review \
             WHERE review.tenant_id = ?1 AND review.state = 'shown' AND ",
            $($which)+,
            " GROUP BY review.course_id ON CONFLICT (tenant_id, course_id) DO UPDATE SET stars_1 = stars_1 + excluded.stars_1, \
             stars_2 = stars_2 + excluded.stars_2, stars_3 = stars_3 + excluded.stars_3, \
             stars_4 = stars_4 + excluded.stars_4, stars_5 = stars_5 + excluded.stars_5"
        )
    };
}

/// Takes one's review out of the counts, if it is shown.
pub fn uncount_own_review((slug, person): Place<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(uncount!(own!()));
    SQL.with([slug.into(), person.into()])
}

/// Puts one's review into the counts, if it is shown.
pub fn count_own_review((slug, person): Place<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(count!(own!()));
    SQL.with([slug.into(), person.into()])
}

/// As [`uncount_own_review`], of any.
pub fn uncount_review(review: ReviewId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(uncount!("review.id = ?2"));
    SQL.with([review.into()])
}

/// As [`count_own_review`], of any.
pub fn count_reviews(reviews: &[ReviewId]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(count!("review.id IN (SELECT value FROM json_each(?2))"));
    SQL.with([json(reviews)])
}

/// Public answers are made anew, if one's review is shown.
pub fn bump_generation_by_own_review((slug, person): Place<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(concat!(
        "UPDATE tenant SET generation = generation + 1 WHERE id = ?1 AND EXISTS \
         (SELECT 1 FROM review WHERE review.tenant_id = ?1 AND review.state = 'shown' AND ",
        own!(),
        ")"
    ));
    SQL.with([slug.into(), person.into()])
}

/// One more likes the course, unless they do already.
pub fn count_like((slug, person): Place<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO course_figures (tenant_id, course_id, likes) SELECT ?1, course.id, 1 FROM course \
         WHERE course.tenant_id = ?1 AND slug = ?2 AND NOT EXISTS (SELECT 1 FROM course_like \
         WHERE course_like.tenant_id = ?1 AND course_like.person_id = ?3 AND course_like.course_id = course.id) \
         ON CONFLICT (tenant_id, course_id) DO UPDATE SET likes = likes + 1",
    );
    SQL.with([slug.into(), person.into()])
}

/// One less likes the course, if they do.
pub fn uncount_like((slug, person): Place<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(concat!(
        "UPDATE course_figures SET likes = likes - 1 WHERE tenant_id = ?1 AND course_id = (SELECT course_id \
         FROM course_like WHERE tenant_id = ?1 AND person_id = ?3 AND course_id = ",
        course!(),
        ")"
    ));
    SQL.with([slug.into(), person.into()])
}
