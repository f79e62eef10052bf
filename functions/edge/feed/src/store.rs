//! The function's SQL: one function a statement.

mod deletion;
mod retention;
mod shop;
mod video;

pub use deletion::*;
pub use retention::*;
pub use shop::*;
pub use video::*;

use akademi_domain::{
    certificate::CertificateSerial,
    course::{CourseOutline, LessonBody, Requirement, opening::Opening},
    ids::{CourseId, LessonId, TenantId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{
    Platform, PlatformSql, Statement, StoreError, TenantDatabase, TenantSql, TenantStatement, Value,
    search_scope,
};
use akademi_feed::Envelope;
use serde::Serialize;

/// JSON for a column; what these types are made of always serialises.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_string(value).unwrap_or_default().into()
}

pub struct Head {
    epoch: String,
    pub number: i64,
    pub acknowledged: i64,
}

impl Head {
    /// This feed's name: the database and its epoch.
    pub fn source(&self) -> String {
        format!("edge:{}", self.epoch)
    }
}

pub async fn find_head(platform: &Platform<'_>) -> Result<Head, StoreError> {
    const SQL: PlatformSql =
        PlatformSql::new("SELECT epoch, number, acknowledged FROM feed_head WHERE id = 1");
    let row = platform.row(SQL.with([])).await?;
    let row = row.ok_or_else(|| StoreError::Engine("the feed has no head".into()))?;
    Ok(Head { epoch: row.text(0)?.to_owned(), number: row.integer(1)?, acknowledged: row.integer(2)? })
}

pub async fn events_after(
    platform: &Platform<'_>,
    after: i64,
    limit: usize,
) -> Result<Vec<Envelope>, StoreError> {
    const SQL: PlatformSql = PlatformSql::new(
        "SELECT number, tenant_id, kind, version, payload FROM feed_event WHERE number > ?1 ORDER BY number LIMIT ?2",
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = platform.rows(SQL.with([after.into(), limit.into()])).await?;
    rows.iter()
        .map(|row| {
            Ok(Envelope {
                number: row.integer(0)?,
                tenant: row.parse(1)?,
                kind: row.text(2)?.to_owned(),
                version: u32::try_from(row.integer(3)?).unwrap_or(0),
                payload: row.text(4)?.to_owned(),
            })
        })
        .collect()
}

pub fn acknowledge(number: i64) -> Statement {
    const SQL: PlatformSql = PlatformSql::new(
        "UPDATE feed_head SET acknowledged = ?1 WHERE id = 1 AND acknowledged < ?1 AND number >= ?1",
    );
    SQL.with([number.into()])
}

pub fn prune(number: i64) -> Statement {
    const SQL: PlatformSql = PlatformSql::new("DELETE FROM feed_event WHERE number <= ?1");
    SQL.with([number.into()])
}

pub async fn find_cursor(platform: &Platform<'_>, source: &str) -> Result<i64, StoreError> {
    const SQL: PlatformSql = PlatformSql::new("SELECT number FROM feed_cursor WHERE source = ?1");
    let row = platform.row(SQL.with([source.into()])).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// A batch's condition: nothing of the source has been applied since its cursor was read.
pub fn cursor_stands_at(source: &str, number: i64) -> Statement {
    const SQL: PlatformSql = PlatformSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 WHERE coalesce( \
         (SELECT number FROM feed_cursor WHERE source = ?1), 0) = ?2))",
    );
    SQL.with([source.into(), number.into()])
}

pub fn move_cursor(source: &str, number: i64) -> Statement {
    const SQL: PlatformSql = PlatformSql::new(
        "INSERT INTO feed_cursor (source, number) VALUES (?1, ?2) \
         ON CONFLICT (source) DO UPDATE SET number = excluded.number",
    );
    SQL.with([source.into(), number.into()])
}

pub async fn find_person_key(
    database: &TenantDatabase<'_>,
    person: UserId,
) -> Result<Option<Vec<u8>>, StoreError> {
    const SQL: TenantSql =
        TenantSql::new("SELECT wrapped FROM person_key WHERE tenant_id = ?1 AND person_id = ?2");
    let row = database.row(SQL.with([person.into()])).await?;
    row.map(|row| row.blob(0).map(<[u8]>::to_vec)).transpose()
}

/// A lesson of a version that is on its way.
pub struct NewLesson<'a> {
    pub course: CourseId,
    pub version: i64,
    pub lesson: LessonId,
    pub title: &'a str,
    pub duration_seconds: Option<u32>,
    pub requirement: Option<Requirement>,
    pub opens: Option<Opening>,
    pub body: &'a LessonBody,
    /// Folded.
    pub words: String,
}

pub fn save_lesson(new: NewLesson<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO lesson (tenant_id, course_id, version, id, kind, duration_seconds, requirement, body, title, \
         words, opens) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (tenant_id, course_id, version, id) DO UPDATE SET kind = excluded.kind, \
         duration_seconds = excluded.duration_seconds, requirement = excluded.requirement, body = excluded.body, \
         title = excluded.title, words = excluded.words, opens = excluded.opens",
    );
    SQL.with([
        new.course.into(),
        new.version.into(),
        new.lesson.into(),
        new.body.kind().name().into(),
        new.duration_seconds.into(),
        new.requirement.as_ref().map_or(Value::Null, json),
        json(new.body),
        new.title.into(),
        new.words.into(),
        new.opens.as_ref().map_or(Value::Null, json),
    ])
}

pub fn save_answer_key(
    course: CourseId,
    version: i64,
    lesson: LessonId,
    answers: &serde_json::Value,
) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO answer_key (tenant_id, course_id, version, lesson_id, answers) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant_id, course_id, version, lesson_id) DO UPDATE SET answers = excluded.answers",
    );
    SQL.with([course.into(), version.into(), lesson.into(), json(answers)])
}

pub fn save_course(
    version: i64,
    summary: &str,
    outline: &CourseOutline,
    owner: Option<UserId>,
    at: Timestamp,
) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO course (tenant_id, id, slug, version, title, summary, outline, lesson_count, \
         duration_seconds, published_at, owner_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (tenant_id, id) DO UPDATE SET slug = excluded.slug, version = excluded.version, \
         title = excluded.title, summary = excluded.summary, outline = excluded.outline, \
         lesson_count = excluded.lesson_count, duration_seconds = excluded.duration_seconds, \
         owner_id = excluded.owner_id",
    );
    let lesson_count = i64::try_from(outline.lessons().count()).unwrap_or(0);
    let duration: i64 = outline.lessons().filter_map(|lesson| lesson.duration_seconds).map(i64::from).sum();
    SQL.with([
        outline.id.into(),
        outline.slug.as_str().into(),
        version.into(),
        outline.title.as_str().into(),
        summary.into(),
        json(outline),
        lesson_count.into(),
        duration.into(),
        at.into(),
        owner.into(),
    ])
}

/// The row by which a course has its place in the order of ratings.
pub fn begin_figures(course: CourseId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO course_figures (tenant_id, course_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    );
    SQL.with([course.into()])
}

/// Removes everything of a course from the search index.
pub fn forget_words(course: CourseId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "DELETE FROM course_search WHERE tenant_id = ?1 AND rowid IN \
         (SELECT rowid FROM course_search WHERE course_search MATCH ?2)",
    );
    SQL.with([format!("scope:\"{}\"", course_scope(course)).into()])
}

pub fn index_course(tenant: TenantId, course: CourseId, words: &str) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO course_search (tenant_id, scope, words, course_id) VALUES (?1, ?2, ?3, ?4)",
    );
    SQL.with([scope(tenant, course).into(), words.into(), course.into()])
}

/// Indexes all lessons of the version that becomes visible.
pub fn index_lessons(tenant: TenantId, course: CourseId, version: i64) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO course_search (tenant_id, scope, words, course_id, lesson_id, title) \
         SELECT tenant_id, ?2, words, course_id, id, title FROM lesson \
         WHERE tenant_id = ?1 AND course_id = ?3 AND version = ?4",
    );
    SQL.with([scope(tenant, course).into(), course.into(), version.into()])
}

fn scope(tenant: TenantId, course: CourseId) -> String {
    format!("{} {}", search_scope(tenant), course_scope(course))
}

/// The word in the search index that stands for one course.
fn course_scope(course: CourseId) -> String {
    format!("c{}", course.as_uuid().simple())
}

pub fn drop_older_lessons(course: CourseId, version: i64) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM lesson WHERE tenant_id = ?1 AND course_id = ?2 AND version < ?3");
    SQL.with([course.into(), version.into()])
}

pub fn drop_older_answer_keys(course: CourseId, version: i64) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM answer_key WHERE tenant_id = ?1 AND course_id = ?2 AND version < ?3");
    SQL.with([course.into(), version.into()])
}

/// Hides the course from the catalog; its lessons stay for who is enrolled.
pub fn withdraw_course(course: CourseId, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE course SET withdrawn_at = ?3 WHERE tenant_id = ?1 AND id = ?2 AND withdrawn_at IS NULL",
    );
    SQL.with([course.into(), now.into()])
}

pub fn bump_generation() -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("UPDATE tenant SET generation = generation + 1 WHERE id = ?1");
    SQL.with([])
}

/// A certificate that the other plane has issued.
pub struct NewCertificate<'a> {
    pub serial: CertificateSerial,
    pub person: UserId,
    pub course: CourseId,
    pub title: &'a str,
    /// Sealed.
    pub holder: Option<Vec<u8>>,
    pub completed_at: Timestamp,
    pub issued_at: Timestamp,
}

/// Saves a certificate; one that is there stays as it is, revoked or not. That of somebody erased names nobody.
pub fn save_certificate(new: NewCertificate<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO certificate (tenant_id, serial, person_id, course_id, title, holder, completed_at, issued_at) \
         SELECT ?1, ?2, ?3, ?4, ?5, CASE WHEN EXISTS (SELECT 1 FROM tombstone WHERE tenant_id = ?1 AND person_id = ?3) \
         THEN NULL ELSE ?6 END, ?7, ?8 WHERE true ON CONFLICT (tenant_id, serial) DO NOTHING",
    );
    SQL.with([
        new.serial.into(),
        new.person.into(),
        new.course.into(),
        new.title.into(),
        new.holder.into(),
        new.completed_at.into(),
        new.issued_at.into(),
    ])
}

/// Revokes a certificate; the first date stays.
pub fn revoke_certificate(serial: CertificateSerial, at: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE certificate SET revoked_at = ?3 WHERE tenant_id = ?1 AND serial = ?2 AND revoked_at IS NULL",
    );
    SQL.with([serial.into(), at.into()])
}

pub fn save_identity_provider(provider: &str, name: &str, kind: &str) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO identity_provider (tenant_id, id, name, kind) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, kind = excluded.kind",
    );
    SQL.with([provider.into(), name.into(), kind.into()])
}

pub fn delete_identity_provider(provider: &str) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("DELETE FROM identity_provider WHERE tenant_id = ?1 AND id = ?2");
    SQL.with([provider.into()])
}
