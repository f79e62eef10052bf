//! The function's SQL: one function a statement.

use akademi_domain::{
    course::{VideoSource, opening::Opening},
    ids::{AssetId, CourseId, LessonId, SessionId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{Row, StoreError, TenantDatabase, TenantSql, TenantStatement};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::{Deserialize, de::DeserializeOwned};
use std::fmt::Display;

/// The longest playlist, in bytes: one of 12 hours in encrypted parts has some 1.2 MB.
const MAX_PLAYLIST_BYTES: usize = 4 << 20;

/// What of a video lesson's body says what it plays.
#[derive(Deserialize)]
pub struct VideoLesson {
    pub source: VideoSource,
    pub start_seconds: Option<u32>,
    pub end_seconds: Option<u32>,
    #[serde(default)]
    pub delivery_bound: bool,
}

/// A lesson that somebody is enrolled for.
pub struct Lesson {
    pub enrolled_at: Timestamp,
    pub opens: Option<Opening>,
    /// Of a video lesson.
    pub video: Option<VideoLesson>,
    /// Of one whose video plays.
    pub playable: Option<Playable>,
}

/// A video that plays.
pub struct Playable {
    pub asset: AssetId,
    /// Where its files are in storage.
    pub folder: String,
    pub duration_ms: i64,
    /// The picture that stands for it, below the folder.
    pub poster: Option<String>,
    /// The text of the path that was asked for; none if there is nothing there.
    pub playlist: Option<String>,
}

fn unreadable(error: &dyn Display) -> StoreError {
    StoreError::Engine(error.to_string())
}

fn optional_json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<Option<T>, StoreError> {
    let text = row.optional_text(column)?;
    text.map(|text| serde_json::from_str(text).map_err(|error| unreadable(&error))).transpose()
}

/// The columns from `first` on: asset, folder, duration, poster, text.
fn playable(row: &Row, first: usize) -> Result<Option<Playable>, StoreError> {
    if row.optional_text(first + 1)?.is_none() {
        return Ok(None);
    }
    Ok(Some(Playable {
        asset: row.parse(first)?,
        folder: row.text(first + 1)?.to_owned(),
        duration_ms: row.integer(first + 2)?,
        poster: row.optional_text(first + 3)?.map(str::to_owned),
        playlist: row.optional_text(first + 4)?.map(inflated).transpose()?,
    }))
}

fn inflated(text: &str) -> Result<String, StoreError> {
    let deflated = STANDARD.decode(text).map_err(|error| unreadable(&error))?;
    let bytes = decompress_to_vec_with_limit(&deflated, MAX_PLAYLIST_BYTES);
    String::from_utf8(bytes.map_err(|error| unreadable(&error))?).map_err(|error| unreadable(&error))
}

/// A lesson of the course as the person may learn it, and of its video the text at `path`.
pub async fn find_lesson(
    database: &TenantDatabase<'_>,
    person: UserId,
    course: CourseId,
    lesson: LessonId,
    path: &str,
) -> Result<Option<Lesson>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT enrolment.created_at, lesson.opens, CASE lesson.kind WHEN 'video' THEN lesson.body END AS body, \
         video.asset_id, video.folder, video.duration_ms, video.poster, playlist.deflated \
         FROM enrolment \
         JOIN course ON course.tenant_id = ?1 AND course.id = ?3 \
         JOIN lesson ON lesson.tenant_id = ?1 AND lesson.course_id = ?3 AND lesson.version = course.version \
         AND lesson.id = ?4 \
         LEFT JOIN video ON video.tenant_id = ?1 \
         AND video.asset_id = CASE lesson.kind WHEN 'video' THEN lesson.body ->> '$.source.asset' END \
         LEFT JOIN playlist ON playlist.tenant_id = ?1 AND playlist.asset_id = video.asset_id \
         AND playlist.folder = video.folder AND playlist.path = ?5 \
         WHERE enrolment.tenant_id = ?1 AND enrolment.person_id = ?2 AND enrolment.course_id = ?3",
    );
    let row = database.row(SQL.with([person.into(), course.into(), lesson.into(), path.into()])).await?;
    row.map(|row| {
        Ok(Lesson {
            enrolled_at: row.timestamp(0)?,
            opens: optional_json(&row, 1)?,
            video: optional_json(&row, 2)?,
            playable: playable(&row, 3)?,
        })
    })
    .transpose()
}

/// A video of the academy, and its text at `path`.
pub async fn find_video(
    database: &TenantDatabase<'_>,
    asset: AssetId,
    path: &str,
) -> Result<Option<Playable>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT video.asset_id, video.folder, video.duration_ms, video.poster, playlist.deflated FROM video \
         LEFT JOIN playlist ON playlist.tenant_id = ?1 AND playlist.asset_id = ?2 \
         AND playlist.folder = video.folder AND playlist.path = ?3 \
         WHERE video.tenant_id = ?1 AND video.asset_id = ?2",
    );
    let row = database.row(SQL.with([asset.into(), path.into()])).await?;
    Ok(row.map(|row| playable(&row, 0)).transpose()?.flatten())
}

/// Seconds that were handed to a session: from the first up to and without the last.
pub struct Delivery {
    pub person: UserId,
    pub lesson: LessonId,
    pub session: SessionId,
    pub from_second: u32,
    pub to_second: u32,
    pub at: Timestamp,
}

pub fn save_delivery(delivery: &Delivery) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO delivery (tenant_id, person_id, lesson_id, session_id, from_second, to_second, delivered_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
         ON CONFLICT (tenant_id, person_id, lesson_id, session_id, from_second) DO UPDATE SET \
         to_second = max(to_second, excluded.to_second), delivered_at = excluded.delivered_at",
    );
    SQL.with([
        delivery.person.into(),
        delivery.lesson.into(),
        delivery.session.into(),
        delivery.from_second.into(),
        delivery.to_second.into(),
        delivery.at.into(),
    ])
}
