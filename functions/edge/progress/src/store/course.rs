//! A course with all that one learner did in it.

use akademi_domain::{
    course::{
        CourseOutline, LessonOutline,
        completion::{LessonState, module_completion},
    },
    ids::{CourseId, LessonId, ModuleId, UserId},
    quiz::Score,
    time::Timestamp,
};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql};
use serde::Deserialize;

use super::json;

pub struct EnrolledCourse {
    pub outline: CourseOutline,
    /// By their ids.
    pub begun: Vec<BegunLesson>,
    pub enrolled_at: Timestamp,
    pub completed_at: Option<Timestamp>,
}

/// A row of `progress` as [`find_course`] packs it.
#[derive(Deserialize)]
#[serde(from = "BegunRow")]
pub struct BegunLesson {
    pub lesson: LessonId,
    pub seconds: u32,
    pub position_seconds: u32,
    opened: bool,
    best_score: Option<Score>,
    pub completed: bool,
    pub refused_seconds: u32,
    marked: bool,
}

type BegunRow = (LessonId, u32, u32, u8, Option<u32>, Option<u32>, u8, u32, u8);

impl From<BegunRow> for BegunLesson {
    fn from(
        (lesson, seconds, position_seconds, opened, points, max, completed, refused_seconds, marked): BegunRow,
    ) -> Self {
        Self {
            lesson,
            seconds,
            position_seconds,
            opened: opened != 0,
            best_score: points.zip(max).map(|(points, max)| Score { points, max }),
            completed: completed != 0,
            refused_seconds,
            marked: marked != 0,
        }
    }
}

impl EnrolledCourse {
    /// How far a lesson is.
    pub fn state_of(&self, lesson: &LessonOutline) -> LessonState {
        let Ok(place) = self.begun.binary_search_by_key(&lesson.id, |begun| begun.lesson) else {
            return LessonState::default();
        };
        self.begun.get(place).map_or_else(LessonState::default, |begun| LessonState {
            opened: begun.opened,
            covered_seconds: begun.seconds,
            length_seconds: lesson.duration_seconds.unwrap_or(0),
            best_score: begun.best_score,
            marked: begun.marked,
        })
    }

    /// Whether all that a module requires is fulfilled. One that is in the course no longer is no hindrance.
    pub fn is_done(&self, id: ModuleId) -> bool {
        let module = self.outline.modules.iter().find(|module| module.id == id);
        module.is_none_or(|module| module_completion(module, &|lesson| self.state_of(lesson)).is_done())
    }
}

/// The course with the learner's progress in it: one row, whatever the number of lessons.
pub async fn find_course(
    database: &TenantDatabase<'_>,
    person: UserId,
    course: CourseId,
) -> Result<Option<EnrolledCourse>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT outline, enrolment.created_at AS enrolled_at, enrolment.completed_at AS completed_at, \
         (SELECT json_group_array(json_array(lesson_id, seconds, position_seconds, opened_at IS NOT NULL, \
          score_points, score_max, completed_at IS NOT NULL, refused_seconds, marked_at IS NOT NULL)) FROM (SELECT * FROM progress \
          WHERE tenant_id = ?1 AND person_id = ?2 AND course_id = ?3 ORDER BY lesson_id)) AS begun \
         FROM enrolment JOIN course ON course.tenant_id = ?1 AND course.id = ?3 \
         WHERE enrolment.tenant_id = ?1 AND enrolment.person_id = ?2 AND enrolment.course_id = ?3",
    );
    let row = database.row(SQL.with([person.into(), course.into()])).await?;
    row.map(|row| {
        Ok(EnrolledCourse {
            outline: json(row.text(0)?)?,
            enrolled_at: row.timestamp(1)?,
            completed_at: row.optional_timestamp(2)?,
            begun: json(row.text(3)?)?,
        })
    })
    .transpose()
}
