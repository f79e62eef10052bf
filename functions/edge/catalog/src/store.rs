//! The function's SQL: one function a statement.

use akademi_api::paging::Cursor;
use akademi_domain::{
    ids::TenantId,
    money::{Currency, Money},
};
use akademi_edge_store::{MAX_INTEGER, Row, StoreError, TenantDatabase, TenantSql, search_scope};
use serde_json::value::RawValue;

use crate::{
    academy::Details,
    courses::{CourseCard, CoursePage},
    search::Hit,
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
    Ok(CourseCard {
        id: row.parse(0)?,
        slug: row.text(1)?.to_owned(),
        title: row.text(2)?.to_owned(),
        summary: row.text(3)?.to_owned(),
        lesson_count: row.integer(4)?,
        duration_seconds: row.integer(5)?,
        published_at: row.timestamp(6)?,
        price: price(row, 7)?,
    })
}

/// The price in this column and its currency in the next, if there is one.
fn price(row: &Row, column: usize) -> Result<Option<Money>, StoreError> {
    let Some(amount) = row.optional_integer(column)? else { return Ok(None) };
    let currency = Currency::from_code(row.text(column + 1)?)
        .ok_or_else(|| StoreError::Engine("a price in a currency that is none".into()))?;
    Ok(Some(Money { amount, currency }))
}

pub async fn list_courses(
    database: &TenantDatabase<'_>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<CourseCard>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, slug, title, summary, lesson_count, duration_seconds, published_at, amount, currency \
         FROM course LEFT JOIN price ON price.tenant_id = ?1 AND price.course_id = course.id \
         WHERE course.tenant_id = ?1 AND (published_at, id) < (?2, ?3) AND withdrawn_at IS NULL ORDER BY published_at DESC, id DESC LIMIT ?4",
    );
    let after = after.unwrap_or(Cursor { key: MAX_INTEGER, id: String::new() });
    let rows = database.rows(SQL.with([after.key.into(), after.id.into(), limit.into()])).await?;
    rows.iter().map(card).collect()
}

pub async fn find_course(
    database: &TenantDatabase<'_>,
    slug: &str,
) -> Result<Option<CoursePage>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, slug, title, summary, lesson_count, duration_seconds, published_at, amount, currency, \
         version, outline FROM course LEFT JOIN price ON price.tenant_id = ?1 AND price.course_id = course.id \
         WHERE course.tenant_id = ?1 AND slug = ?2 AND withdrawn_at IS NULL",
    );
    let row = database.row(SQL.with([slug.into()])).await?;
    row.map(|row| {
        let outline = RawValue::from_string(row.text(10)?.to_owned());
        Ok(CoursePage {
            card: card(&row)?,
            version: row.integer(9)?,
            outline: outline.map_err(|error| StoreError::Engine(error.to_string()))?,
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
