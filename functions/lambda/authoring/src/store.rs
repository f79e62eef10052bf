//! The function's SQL: one function a statement.

use akademi_domain::{
    course::{ModuleOutline, Slug},
    ids::{CourseId, LessonId, UserId},
    quiz::AnswerKey,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow, types::Json};
use std::error::Error;
use uuid::Uuid;

use crate::{
    content::{LessonContent, Lessons},
    courses::{CourseHead, NewCourse},
};

/// Lets every statement of the transaction see the same rows. Before the first one only.
pub async fn see_one_moment(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(tx.connection()).await?;
    Ok(())
}

/// Inserts an empty draft under the first of `slugs` that is free; `None` if somebody was faster.
pub async fn insert_course(
    tx: &mut TenantTransaction,
    id: CourseId,
    slugs: &[String],
    new: &NewCourse,
    owner: UserId,
    now: Timestamp,
) -> Result<Option<CourseHead>, StoreError> {
    let row = sqlx::query(
        "WITH reserved AS (
             INSERT INTO course_slug (tenant_id, slug, course_id)
             SELECT $1, candidate, $2 FROM UNNEST($3::text[]) WITH ORDINALITY AS candidates (candidate, place)
             WHERE NOT EXISTS (SELECT FROM course_slug WHERE tenant_id = $1 AND slug = candidate)
             ORDER BY place LIMIT 1
             ON CONFLICT DO NOTHING RETURNING slug)
         INSERT INTO course_draft (tenant_id, id, slug, title, summary, language, structure, revision,
                                   published_version, owner_id, created_at, updated_at)
         SELECT $1, $2, slug, $4, $5, $6, '[]', 1, 0, $7, $8, $8 FROM reserved
         RETURNING id, slug, title, summary, language, revision, published_version, published_at, owner_id, minimum_score,
                   created_at, updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(slugs)
    .bind(new.title.as_str())
    .bind(new.summary.as_str())
    .bind(new.language.as_ref().map(|language| language.as_str()))
    .bind(owner.as_uuid())
    .bind(now.as_millis())
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(head).transpose()
}

/// Drafts after this one, newest first: somebody's, or all.
pub async fn list_courses(
    tx: &mut TenantTransaction,
    owner: Option<UserId>,
    after: Option<(Timestamp, CourseId)>,
    limit: i64,
) -> Result<Vec<CourseHead>, StoreError> {
    let (created_at, id) =
        after.unwrap_or((Timestamp::from_millis(i64::MAX), CourseId::from_uuid(Uuid::max())));
    let rows = sqlx::query(
        "SELECT id, slug, title, summary, language, revision, published_version, published_at, owner_id, minimum_score,
                created_at, updated_at
         FROM course_draft WHERE tenant_id = $1 AND (created_at, id) < ($2, $3) AND ($5::uuid IS NULL OR owner_id = $5)
         ORDER BY created_at DESC, id DESC LIMIT $4",
    )
    .bind(tx.tenant().as_uuid())
    .bind(created_at.as_millis())
    .bind(id.as_uuid())
    .bind(limit)
    .bind(owner.map(|owner| owner.as_uuid()))
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(head).collect()
}

/// A draft, if it is there and `owner`'s or anybody's.
pub async fn find_course(
    tx: &mut TenantTransaction,
    id: CourseId,
    owner: Option<UserId>,
) -> Result<Option<(CourseHead, Vec<ModuleOutline>)>, StoreError> {
    let row = sqlx::query(
        "SELECT id, slug, title, summary, language, revision, published_version, published_at, owner_id, minimum_score,
                created_at, updated_at, structure
         FROM course_draft WHERE tenant_id = $1 AND id = $2 AND ($3::uuid IS NULL OR owner_id = $3)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(owner.map(|owner| owner.as_uuid()))
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(head_and_structure).transpose()
}

/// As [`find_course`]; nobody else changes the draft before this transaction ends.
pub async fn lock_course(
    tx: &mut TenantTransaction,
    id: CourseId,
    owner: Option<UserId>,
) -> Result<Option<(CourseHead, Vec<ModuleOutline>)>, StoreError> {
    let row = sqlx::query(
        "SELECT id, slug, title, summary, language, revision, published_version, published_at, owner_id, minimum_score,
                created_at, updated_at, structure
         FROM course_draft WHERE tenant_id = $1 AND id = $2 AND ($3::uuid IS NULL OR owner_id = $3) FOR UPDATE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(owner.map(|owner| owner.as_uuid()))
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(head_and_structure).transpose()
}

/// Makes the slug this course's; whether it is.
pub async fn reserve_slug(
    tx: &mut TenantTransaction,
    course: CourseId,
    slug: &Slug,
) -> Result<bool, StoreError> {
    let reserved = sqlx::query(
        "INSERT INTO course_slug AS taken (tenant_id, slug, course_id) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, slug) DO UPDATE SET course_id = excluded.course_id
         WHERE taken.course_id = excluded.course_id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(slug.as_str())
    .bind(course.as_uuid())
    .execute(tx.connection())
    .await?;
    Ok(reserved.rows_affected() == 1)
}

/// Writes what a change of the head may change; the new revision.
pub async fn update_course(tx: &mut TenantTransaction, head: &CourseHead) -> Result<i64, StoreError> {
    let revision = sqlx::query_scalar(
        "UPDATE course_draft SET slug = $3, title = $4, summary = $5, language = $6, updated_at = $7,
                minimum_score = $8, revision = revision + 1
         WHERE tenant_id = $1 AND id = $2 RETURNING revision",
    )
    .bind(tx.tenant().as_uuid())
    .bind(head.id.as_uuid())
    .bind(head.slug.as_str())
    .bind(head.title.as_str())
    .bind(head.summary.as_str())
    .bind(head.language.as_ref().map(|language| language.as_str()))
    .bind(head.updated_at.as_millis())
    .bind(head.minimum_score.map(|percent| i16::from(percent.get())))
    .fetch_one(tx.connection())
    .await?;
    Ok(revision)
}

/// Writes the structure; the new revision.
pub async fn save_structure(
    tx: &mut TenantTransaction,
    course: CourseId,
    structure: &[ModuleOutline],
    now: Timestamp,
) -> Result<i64, StoreError> {
    let revision = sqlx::query_scalar(
        "UPDATE course_draft SET structure = $3, updated_at = $4, revision = revision + 1
         WHERE tenant_id = $1 AND id = $2 RETURNING revision",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(Json(structure))
    .bind(now.as_millis())
    .fetch_one(tx.connection())
    .await?;
    Ok(revision)
}

pub async fn draft_lessons(tx: &mut TenantTransaction, course: CourseId) -> Result<Lessons, StoreError> {
    let rows =
        sqlx::query("SELECT id, body, answers FROM lesson_draft WHERE tenant_id = $1 AND course_id = $2")
            .bind(tx.tenant().as_uuid())
            .bind(course.as_uuid())
            .fetch_all(tx.connection())
            .await?;
    lessons(&rows)
}

/// Lessons by the columns `id`, `body` and `answers`.
pub fn lessons(rows: &[PgRow]) -> Result<Lessons, StoreError> {
    rows.iter()
        .map(|row| {
            let Json(body) = row.try_get("body")?;
            let answers: Option<Json<AnswerKey>> = row.try_get("answers")?;
            let content = LessonContent { body, answers: answers.map(|Json(answers)| answers) };
            Ok((LessonId::from_uuid(row.try_get("id")?), content))
        })
        .collect()
}

/// Inserts these lessons, or replaces them.
pub async fn save_lessons<'lesson>(
    tx: &mut TenantTransaction,
    course: CourseId,
    lessons: impl Iterator<Item = (&'lesson LessonId, &'lesson LessonContent)>,
) -> Result<(), StoreError> {
    let (mut ids, mut bodies, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for (id, content) in lessons {
        ids.push(id.as_uuid());
        bodies.push(Json(&content.body));
        answers.push(content.answers.as_ref().map(Json));
    }
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO lesson_draft (tenant_id, course_id, id, body, answers)
         SELECT $1, $2, sent.* FROM UNNEST($3::uuid[], $4::jsonb[], $5::jsonb[]) AS sent
         ON CONFLICT (tenant_id, course_id, id)
         DO UPDATE SET body = excluded.body, answers = excluded.answers",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(ids)
    .bind(bodies)
    .bind(answers)
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn delete_lessons<'lesson>(
    tx: &mut TenantTransaction,
    course: CourseId,
    lessons: impl Iterator<Item = &'lesson LessonId>,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = lessons.map(LessonId::as_uuid).collect();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM lesson_draft WHERE tenant_id = $1 AND course_id = $2 AND id = ANY($3)")
        .bind(tx.tenant().as_uuid())
        .bind(course.as_uuid())
        .bind(ids)
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub async fn set_published(
    tx: &mut TenantTransaction,
    course: CourseId,
    version: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE course_draft SET published_version = $3, published_at = $4 WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(version)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

fn head_and_structure(row: &PgRow) -> Result<(CourseHead, Vec<ModuleOutline>), StoreError> {
    let Json(structure) = row.try_get("structure")?;
    Ok((head(row)?, structure))
}

fn head(row: &PgRow) -> Result<CourseHead, StoreError> {
    let published_at: Option<i64> = row.try_get("published_at")?;
    let language: Option<String> = row.try_get("language")?;
    let minimum_score: Option<i16> = row.try_get("minimum_score")?;
    Ok(CourseHead {
        id: CourseId::from_uuid(row.try_get("id")?),
        slug: text(row, "slug")?,
        title: text(row, "title")?,
        summary: text(row, "summary")?,
        language: language.map(|language| parsed("language", language)).transpose()?,
        minimum_score: minimum_score
            .map(|percent| parsed("minimum_score", u8::try_from(percent).unwrap_or(0)))
            .transpose()?,
        revision: row.try_get("revision")?,
        version: row.try_get("published_version")?,
        published_at: published_at.map(Timestamp::from_millis),
        owner: UserId::from_uuid(row.try_get("owner_id")?),
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
    })
}

pub fn text<T>(row: &PgRow, column: &str) -> Result<T, StoreError>
where
    T: TryFrom<String>,
    T::Error: Error + Send + Sync + 'static,
{
    parsed(column, row.try_get(column)?)
}

/// A value of ours, checked before it was written.
fn parsed<V, T>(column: &str, value: V) -> Result<T, StoreError>
where
    T: TryFrom<V>,
    T::Error: Error + Send + Sync + 'static,
{
    T::try_from(value).map_err(|source| {
        StoreError::Internal(sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) })
    })
}
