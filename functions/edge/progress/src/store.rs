//! The function's SQL: one function a statement.

mod course;

pub use course::*;

use akademi_domain::{
    course::{LessonKind, Requirement},
    ids::{CourseId, EnrolmentId, LessonId, SessionId, UserId},
    quiz::Score,
    time::Timestamp,
    watch::{LearnerClock, LessonDuration, Positions, SecondSet, Watched},
};
use akademi_edge_store::{Constraint, Row, StoreError, TenantDatabase, TenantSql, TenantStatement};
use serde::de::DeserializeOwned;
use std::fmt::Display;

use crate::record::{LessonProgress, Place, Standing};

fn json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn Display) -> StoreError {
    StoreError::Engine(error.to_string())
}

fn duration(row: &Row, column: usize) -> Result<Option<LessonDuration>, StoreError> {
    let seconds = row.optional_integer(column)?;
    Ok(seconds.and_then(|seconds| LessonDuration::from_seconds(seconds as f64).ok()))
}

/// The columns of `progress` from `first` on, as [`find_standing`] reads them; NULLs for nothing yet. What was watched
/// beyond the lesson's end, which has moved since then, does not count.
fn lesson_progress(
    row: &Row,
    first: usize,
    duration: Option<LessonDuration>,
) -> Result<LessonProgress, StoreError> {
    if row.optional_integer(first + 1)?.is_none() {
        return Ok(LessonProgress::default());
    }
    let watched =
        Watched::decode(row.blob(first)?, LessonDuration::LONGEST).map_err(|error| unreadable(&error))?;
    let watched = match duration {
        Some(duration) => watched.clip(0, duration.seconds()),
        None => watched,
    };
    let best_score = match (row.optional_integer(first + 5)?, row.optional_integer(first + 6)?) {
        (Some(points), Some(max)) => Some(Score { points: small(points), max: small(max) }),
        _ => None,
    };
    let moment = |column| Ok::<_, StoreError>(row.optional_integer(column)?.map(Timestamp::from_millis));
    Ok(LessonProgress {
        watched,
        position_seconds: small(row.integer(first + 1)?),
        position_at: row.timestamp(first + 2)?,
        refused_seconds: row.integer(first + 3)?,
        opened_at: moment(first + 4)?,
        best_score,
        attempts: row.integer(first + 7)?,
        completed_at: moment(first + 8)?,
        refusals: json(row.text(first + 9)?)?,
        positions: Positions::decode(row.blob(first + 10)?).map_err(|error| unreadable(&error))?,
        marked_at: moment(first + 11)?,
    })
}

/// What a lesson lasts: its video, or the time that it has to be read for.
fn length(
    row: &Row,
    column: usize,
    requirement: Option<Requirement>,
) -> Result<Option<LessonDuration>, StoreError> {
    Ok(duration(row, column)?.or(requirement.and_then(Requirement::reading_time)))
}

fn optional_json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<Option<T>, StoreError> {
    row.optional_text(column)?.map(json).transpose()
}

/// A number that was written as a `u32`.
fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// Where the learner stands in a lesson of a course that they are enrolled in; with the lesson's body where it is wanted.
pub async fn find_standing(
    database: &TenantDatabase<'_>,
    person: UserId,
    place: Place,
    with_body: bool,
) -> Result<Option<Standing>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT lesson.kind, lesson.duration_seconds, lesson.requirement, learner_clock.state, \
         learner_clock.version AS clock_version, enrolment.id, enrolment.completed_at AS course_done_at, \
         course.version AS course_version, opens, enrolment.created_at AS enrolled_at, \
         CASE WHEN ?5 THEN lesson.body END AS body, \
         watched, position_seconds, position_at, refused_seconds, opened_at, score_points, score_max, attempts, \
         progress.completed_at AS done_at, refusals, positions, marked_at, \
         CASE lesson.kind WHEN 'video' THEN lesson.body ->> '$.delivery_bound' END AS delivery_bound \
         FROM enrolment \
         JOIN course ON course.tenant_id = ?1 AND course.id = ?3 \
         JOIN lesson ON lesson.tenant_id = ?1 AND lesson.course_id = ?3 AND lesson.version = course.version \
         AND lesson.id = ?4 \
         LEFT JOIN progress ON progress.tenant_id = ?1 AND progress.person_id = ?2 AND progress.course_id = ?3 \
         AND progress.lesson_id = ?4 \
         LEFT JOIN learner_clock ON learner_clock.tenant_id = ?1 AND learner_clock.person_id = ?2 \
         WHERE enrolment.tenant_id = ?1 AND enrolment.person_id = ?2 AND enrolment.course_id = ?3",
    );
    let params = [person.into(), place.course.into(), place.lesson.into(), with_body.into()];
    let row = database.row(SQL.with(params)).await?;
    row.map(|row| {
        let requirement = optional_json(&row, 2)?;
        let duration = length(&row, 1, requirement)?;
        let clock_version = row.optional_integer(4)?.unwrap_or(0);
        let clock = match clock_version {
            0 => LearnerClock::default(),
            _ => LearnerClock::decode(row.blob(3)?).map_err(|error| unreadable(&error))?,
        };
        Ok(Standing {
            kind: kind(row.text(0)?)?,
            duration,
            requirement,
            opens: optional_json(&row, 8)?,
            enrolled_at: row.timestamp(9)?,
            body: row.optional_text(10)?.map(str::to_owned),
            progress: lesson_progress(&row, 11, duration)?,
            clock,
            clock_version,
            enrolment: row.parse(5)?,
            course_completed_at: row.optional_timestamp(6)?,
            course_version: row.integer(7)?,
            delivery_bound: row.optional_integer(23)? == Some(1),
            delivered: None,
        })
    })
    .transpose()
}

fn kind(name: &str) -> Result<LessonKind, StoreError> {
    json(&format!("\"{name}\""))
}

/// The seconds of a lesson that were handed to one of the learner's sessions.
pub async fn delivered_seconds(
    database: &TenantDatabase<'_>,
    person: UserId,
    session: SessionId,
    lesson: LessonId,
) -> Result<SecondSet, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT from_second, to_second FROM delivery \
         WHERE tenant_id = ?1 AND person_id = ?2 AND lesson_id = ?3 AND session_id = ?4",
    );
    let rows = database.rows(SQL.with([person.into(), lesson.into(), session.into()])).await?;
    let seconds = rows.iter().map(|row| Ok((small(row.integer(0)?), small(row.integer(1)?))));
    Ok(SecondSet::from_intervals(seconds.collect::<Result<Vec<_>, StoreError>>()?))
}

/// Moves the learner's clock on. That is refused, and with it the batch, if another of the learner's requests came
/// between, or if the enrolment or the course's version is no longer the one of `standing`.
pub fn move_clock(
    person: UserId,
    course: CourseId,
    clock: &LearnerClock,
    standing: &Standing,
) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO learner_clock (tenant_id, person_id, state, version) VALUES (?1, ?2, ?4, \
         (SELECT 1 FROM enrolment JOIN course ON course.tenant_id = ?1 AND course.id = ?3 \
          WHERE enrolment.tenant_id = ?1 AND enrolment.person_id = ?2 AND enrolment.course_id = ?3 \
          AND enrolment.id = ?5 AND course.version = ?6)) \
         ON CONFLICT (tenant_id, person_id) DO UPDATE SET state = excluded.state, \
         version = CASE version WHEN ?7 THEN version + 1 END",
    );
    SQL.with([
        person.into(),
        course.into(),
        clock.encode().into(),
        standing.enrolment.into(),
        standing.course_version.into(),
        standing.clock_version.into(),
    ])
}

/// Whether a batch failed because [`move_clock`] was refused: the version that it would write is NULL.
pub fn has_moved_since(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused { constraint: Constraint::NotNull, on } if on == "learner_clock.version")
}

pub fn save_progress(
    person: UserId,
    place: Place,
    progress: &LessonProgress,
    now: Timestamp,
) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO progress (tenant_id, person_id, course_id, lesson_id, watched, seconds, position_seconds, \
         position_at, refused_seconds, opened_at, score_points, score_max, attempts, completed_at, updated_at, \
         refusals, positions, marked_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) \
         ON CONFLICT (tenant_id, person_id, course_id, lesson_id) DO UPDATE SET watched = excluded.watched, \
         seconds = excluded.seconds, position_seconds = excluded.position_seconds, \
         position_at = excluded.position_at, refused_seconds = excluded.refused_seconds, \
         opened_at = excluded.opened_at, score_points = excluded.score_points, score_max = excluded.score_max, \
         attempts = excluded.attempts, completed_at = excluded.completed_at, updated_at = excluded.updated_at, \
         refusals = excluded.refusals, positions = excluded.positions, marked_at = excluded.marked_at",
    );
    SQL.with([
        person.into(),
        place.course.into(),
        place.lesson.into(),
        progress.watched.encode().into(),
        progress.watched.seconds().into(),
        progress.position_seconds.into(),
        progress.position_at.into(),
        progress.refused_seconds.into(),
        progress.opened_at.into(),
        progress.best_score.map(|score| score.points).into(),
        progress.best_score.map(|score| score.max).into(),
        progress.attempts.into(),
        progress.completed_at.into(),
        now.into(),
        serde_json::to_string(&progress.refusals).unwrap_or_default().into(),
        progress.positions.encode().into(),
        progress.marked_at.into(),
    ])
}

/// A batch's condition: both the person and the course are of this academy.
pub fn person_and_course_exist(person: UserId, course: CourseId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM person JOIN course ON course.tenant_id = ?1 \
         AND course.id = ?3 WHERE person.tenant_id = ?1 AND person.id = ?2))",
    );
    SQL.with([person.into(), course.into()])
}

pub fn insert_enrolment(
    person: UserId,
    course: CourseId,
    enrolment: EnrolmentId,
    source: &str,
    now: Timestamp,
) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO enrolment (tenant_id, person_id, course_id, id, source, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    );
    SQL.with([person.into(), course.into(), enrolment.into(), source.into(), now.into()])
}

pub async fn find_enrolment(
    database: &TenantDatabase<'_>,
    person: UserId,
    course: CourseId,
) -> Result<Option<(EnrolmentId, Timestamp)>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, created_at FROM enrolment WHERE tenant_id = ?1 AND person_id = ?2 AND course_id = ?3",
    );
    let row = database.row(SQL.with([person.into(), course.into()])).await?;
    row.map(|row| Ok((row.parse(0)?, row.timestamp(1)?))).transpose()
}

pub fn complete_enrolment(person: UserId, course: CourseId, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE enrolment SET completed_at = ?4 \
         WHERE tenant_id = ?1 AND person_id = ?2 AND course_id = ?3 AND completed_at IS NULL",
    );
    SQL.with([person.into(), course.into(), now.into()])
}
