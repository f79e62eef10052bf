//! The function's SQL: one function a statement.

use akademi_api::paging::Cursor;
use akademi_domain::{
    course::Slug,
    ids::{CourseId, TenantId},
    money::{Currency, Money},
    pricing::{BasisPoints, CouponScope, Product, Sale},
    review::StarCounts,
    time::Timestamp,
};
use akademi_edge_store::{MAX_INTEGER, Row, StoreError, TenantDatabase, TenantSql, search_scope};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{
    academy::Details,
    courses::{CourseCard, CoursePage, ListedCourse, SoldElsewhere},
    search::Hit,
    with_coupon::{Candidate, PublicCoupon},
};

pub async fn find_details(database: &TenantDatabase<'_>) -> Result<Option<Details>, StoreError> {
    const SQL: TenantSql = TenantSql::new("SELECT languages, logo_url, time_zone FROM tenant WHERE id = ?1");
    let row = database.row(SQL.with([])).await?;
    row.map(|row| {
        Ok(Details {
            languages: row.text(0)?.split_whitespace().map(str::to_owned).collect(),
            logo_url: row.optional_text(1)?.map(str::to_owned),
            time_zone: row.text(2)?.to_owned(),
        })
    })
    .transpose()
}

fn card(row: &Row) -> Result<CourseCard, StoreError> {
    let slug = row.text(1)?.to_owned();
    let sold_elsewhere = row.optional_text(18)?.map(|label| SoldElsewhere {
        label: label.to_owned(),
        url: format!("/api/v1/catalog/courses/{slug}/go"),
    });
    let price = price(row)?.filter(|_| sold_elsewhere.is_none());
    Ok(CourseCard {
        id: row.parse(0)?,
        slug,
        title: row.text(2)?.to_owned(),
        summary: row.text(3)?.to_owned(),
        lesson_count: row.integer(4)?,
        duration_seconds: row.integer(5)?,
        published_at: row.timestamp(6)?,
        price: price.map(|(price, _)| price),
        sale: price.and_then(|(_, sale)| sale),
        full: row.optional_integer(17)? == Some(0) && sold_elsewhere.is_none(),
        sold_elsewhere,
        rating: stars(row)?.into(),
        picture: row.optional_text(19)?.map(raw).transpose()?,
    })
}

/// How many reviews give how many stars, in a card's columns: NULLs before the first.
fn stars(row: &Row) -> Result<StarCounts, StoreError> {
    let count = |column: usize| Ok::<_, StoreError>(row.optional_integer(column)?.unwrap_or(0));
    Ok(StarCounts([count(12)?, count(13)?, count(14)?, count(15)?, count(16)?]))
}

/// The columns of a [`card`], in its order.
macro_rules! card {
    () => {
        "id, slug, title, summary, lesson_count, duration_seconds, published_at, amount, currency, \
         sale_amount, sale_starts_at, sale_ends_at, stars_1, stars_2, stars_3, stars_4, stars_5, seats_left, label, \
         outline -> '$.pictures.card'"
    };
}

/// What else a card is read from.
macro_rules! figures {
    () => {
        concat!(
            " LEFT JOIN course_figures ON course_figures.tenant_id = ?1 AND course_figures.course_id = course.id",
            elsewhere!()
        )
    };
}

/// Who sells a course instead.
macro_rules! elsewhere {
    () => {
        " LEFT JOIN sold_elsewhere ON sold_elsewhere.tenant_id = ?1 AND sold_elsewhere.course_id = course.id "
    };
}

/// The price in a card's columns and its sale, if there are any.
fn price(row: &Row) -> Result<Option<(Money, Option<Sale>)>, StoreError> {
    let Some(amount) = row.optional_integer(7)? else { return Ok(None) };
    let currency = Currency::from_code(row.text(8)?)
        .ok_or_else(|| StoreError::Engine("a price in a currency that is none".into()))?;
    let sale = match (row.optional_integer(9)?, row.optional_timestamp(10)?, row.optional_timestamp(11)?) {
        (Some(amount), Some(starts_at), Some(ends_at)) => {
            Some(Sale { price: Money { amount, currency }, starts_at, ends_at })
        }
        _ => None,
    };
    Ok(Some((Money { amount, currency }, sale)))
}

/// Courses after this place, newest first.
pub async fn list_courses(
    database: &TenantDatabase<'_>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<ListedCourse>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT ",
        card!(),
        " FROM course LEFT JOIN price ON price.tenant_id = ?1 AND price.course_id = course.id",
        figures!(),
        "WHERE course.tenant_id = ?1 AND (published_at, id) < (?2, ?3) AND withdrawn_at IS NULL \
         ORDER BY published_at DESC, id DESC LIMIT ?4",
    ));
    let after = after.unwrap_or(Cursor { key: MAX_INTEGER, id: String::new() });
    let rows = database.rows(SQL.with([after.key.into(), after.id.into(), limit.into()])).await?;
    rows.iter()
        .map(|row| {
            let card = card(row)?;
            Ok(ListedCourse { key: card.published_at.as_millis(), card })
        })
        .collect()
}

/// Courses after this place, the best first.
pub async fn list_courses_by_rating(
    database: &TenantDatabase<'_>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<ListedCourse>, StoreError> {
    // In the order of an index: the joins are made one after another as they stand here.
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT ",
        card!(),
        ", standing FROM course_figures INDEXED BY course_figures_by_standing CROSS JOIN course \
         ON course.tenant_id = ?1 AND course.id = course_figures.course_id AND withdrawn_at IS NULL \
         LEFT JOIN price ON price.tenant_id = ?1 AND price.course_id = course.id",
        elsewhere!(),
        "WHERE course_figures.tenant_id = ?1 AND (standing, course_figures.course_id) < (?2, ?3) \
         ORDER BY standing DESC, course_figures.course_id DESC LIMIT ?4",
    ));
    let after = after.unwrap_or(Cursor { key: MAX_INTEGER, id: String::new() });
    let rows = database.rows(SQL.with([after.key.into(), after.id.into(), limit.into()])).await?;
    rows.iter().map(|row| Ok(ListedCourse { key: row.integer(20)?, card: card(row)? })).collect()
}

/// Courses whose sale is on at `now`, those first whose sale ends first.
pub async fn list_courses_on_sale(
    database: &TenantDatabase<'_>,
    now: Timestamp,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<CourseCard>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT ",
        card!(),
        " FROM price JOIN course ON course.tenant_id = ?1 AND course.id = price.course_id AND withdrawn_at IS NULL",
        figures!(),
        "WHERE price.tenant_id = ?1 AND sale_ends_at > ?2 AND sale_starts_at <= ?2 AND label IS NULL \
         AND (sale_ends_at, price.course_id) > (?3, ?4) ORDER BY sale_ends_at, price.course_id LIMIT ?5",
    ));
    let after = after.unwrap_or(Cursor { key: 0, id: String::new() });
    let params = [now.into(), after.key.into(), after.id.into(), limit.into()];
    let rows = database.rows(SQL.with(params)).await?;
    rows.iter().map(card).collect()
}

/// The newest coupons that everybody is told of, that have a use left and are good in the second of `now`.
pub async fn list_public_coupons(
    database: &TenantDatabase<'_>,
    now: Timestamp,
) -> Result<Vec<PublicCoupon>, StoreError> {
    // Times are texts of RFC 3339 in UTC, with a fraction only where there is one: they are compared as far as the second.
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, code, terms FROM coupon INDEXED BY coupon_public WHERE tenant_id = ?1 AND public = 1 \
         AND available = 1 AND coalesce(substr(terms ->> 'starts_at', 1, 19), ?2) <= ?2 \
         AND coalesce(substr(terms ->> 'ends_at', 1, 19), ?2) >= ?2 ORDER BY id DESC LIMIT 50",
    );
    let second: String = now.to_string().chars().take("2026-09-21T14:13:20".len()).collect();
    let rows = database.rows(SQL.with([second.into()])).await?;
    rows.iter()
        .map(|row| Ok(PublicCoupon { id: row.parse(0)?, code: row.parse(1)?, terms: json(row, 2)? }))
        .collect()
}

/// Courses that cost something and that one of these coupons is for, newest first.
pub async fn list_candidates(
    database: &TenantDatabase<'_>,
    coupons: &[PublicCoupon],
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Candidate>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT ",
        card!(),
        ", vat_basis_points, categories \
         FROM course JOIN price ON price.tenant_id = ?1 AND price.course_id = course.id AND amount > 0",
        figures!(),
        "WHERE course.tenant_id = ?1 AND (published_at, id) < (?2, ?3) AND withdrawn_at IS NULL AND label IS NULL \
         AND (?5 OR id IN (SELECT value FROM json_each(?6)) OR EXISTS (SELECT 1 FROM json_each(categories) AS own \
         JOIN json_each(?7) AS wanted ON wanted.value = own.value)) \
         ORDER BY published_at DESC, id DESC LIMIT ?4",
    ));
    let (mut all, mut courses, mut categories) = (false, Vec::<CourseId>::new(), Vec::<Slug>::new());
    for coupon in coupons {
        match &coupon.terms.scope {
            CouponScope::All => all = true,
            CouponScope::Courses { courses: named } => courses.extend_from_slice(named),
            CouponScope::Categories { categories: named } => categories.extend_from_slice(named),
            // They are no courses.
            CouponScope::Bundles { .. } => {}
        }
    }
    let list = |names: Result<String, serde_json::Error>| names.unwrap_or_default();
    let after = after.unwrap_or(Cursor { key: MAX_INTEGER, id: String::new() });
    let params = [
        after.key.into(),
        after.id.into(),
        limit.into(),
        i32::from(all).into(),
        list(serde_json::to_string(&courses)).into(),
        list(serde_json::to_string(&categories)).into(),
    ];
    let rows = database.rows(SQL.with(params)).await?;
    rows.iter()
        .map(|row| {
            let card = card(row)?;
            let rate = u16::try_from(row.integer(20)?).ok().and_then(|rate| BasisPoints::new(rate).ok());
            let vat_rate = rate.ok_or_else(|| StoreError::Engine("a VAT rate that is none".into()))?;
            let (price, sale) =
                price(row)?.ok_or_else(|| StoreError::Engine("a price that is none".into()))?;
            let product = Product { course: card.id, price, sale, vat_rate, categories: json(row, 21)? };
            Ok(Candidate { card, product })
        })
        .collect()
}

/// JSON that goes out as it is.
fn raw(text: &str) -> Result<Box<RawValue>, StoreError> {
    RawValue::from_string(text.to_owned()).map_err(|error| StoreError::Engine(error.to_string()))
}

fn json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T, StoreError> {
    serde_json::from_str(row.text(column)?).map_err(|error| StoreError::Engine(error.to_string()))
}

pub async fn find_course(
    database: &TenantDatabase<'_>,
    slug: &str,
) -> Result<Option<CoursePage>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT ",
        card!(),
        ", version, outline, likes FROM course \
         LEFT JOIN price ON price.tenant_id = ?1 AND price.course_id = course.id",
        figures!(),
        "WHERE course.tenant_id = ?1 AND slug = ?2 AND withdrawn_at IS NULL",
    ));
    let row = database.row(SQL.with([slug.into()])).await?;
    row.map(|row| {
        Ok(CoursePage {
            card: card(&row)?,
            version: row.integer(20)?,
            likes: row.optional_integer(22)?.unwrap_or(0),
            outline: raw(row.text(21)?)?,
        })
    })
    .transpose()
}

/// The FTS5 expression that finds rows of one academy with all words, the last letters of each left open.
pub fn match_expression(tenant: TenantId, words: &[String]) -> String {
    // Words hold letters and digits only, so quoting them is enough.
    let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"*")).collect();
    format!("scope:\"{}\" AND words:({})", search_scope(tenant), words.join(" AND "))
}

pub async fn search(
    database: &TenantDatabase<'_>,
    expression: &str,
    limit: i64,
) -> Result<Vec<Hit>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT course.id AS course, slug, course.title AS course_title, lesson_id, course_search.title AS lesson_title \
         FROM course_search JOIN course ON course.tenant_id = ?1 AND course.id = course_search.course_id \
         WHERE course_search MATCH ?2 AND course_search.tenant_id = ?1 AND withdrawn_at IS NULL \
         ORDER BY course_search.rank LIMIT ?3",
    );
    let rows = database.rows(SQL.with([expression.into(), limit.into()])).await?;
    rows.iter()
        .map(|row| {
            let lesson = row.optional_text(3)?.map(str::parse).transpose();
            Ok(Hit {
                course: row.parse(0)?,
                slug: row.text(1)?.to_owned(),
                course_title: row.text(2)?.to_owned(),
                lesson: lesson
                    .map_err(|_| StoreError::Engine("a lesson's id in the index is none".into()))?,
                lesson_title: row.optional_text(4)?.map(str::to_owned),
            })
        })
        .collect()
}
