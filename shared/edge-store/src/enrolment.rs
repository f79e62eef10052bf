//! Somebody may learn a course, or may no longer.

use akademi_domain::{
    ids::{CourseId, EnrolmentId, UserId},
    time::Timestamp,
};
use akademi_feed::EdgeEvent;

use crate::{TenantSql, TenantStatement};

/// Enrols a person unless they are enrolled already or were erased, and tells the other plane if neither is so. The event's
/// statements come first: they ask whether there is an enrolment yet. `source` says by what: `order`, `code`.
pub fn grant_enrolment(
    person: UserId,
    course: CourseId,
    enrolment: EnrolmentId,
    source: &'static str,
    at: Timestamp,
) -> [TenantStatement; 3] {
    const NUMBER_UNLESS_ENROLLED: TenantSql = TenantSql::new(
        "UPDATE feed_head SET number = number + 1 WHERE id = 1 AND NOT EXISTS \
         (SELECT 1 FROM enrolment WHERE tenant_id = ?1 AND person_id = ?2 AND course_id = ?3) \
         AND NOT EXISTS (SELECT 1 FROM tombstone WHERE tenant_id = ?1 AND person_id = ?2)",
    );
    const APPEND_UNLESS_ENROLLED: TenantSql = TenantSql::new(
        "INSERT INTO feed_event (number, tenant_id, kind, version, payload, created_at) \
         SELECT number, ?1, ?4, ?5, ?6, ?7 FROM feed_head WHERE id = 1 AND NOT EXISTS \
         (SELECT 1 FROM enrolment WHERE tenant_id = ?1 AND person_id = ?2 AND course_id = ?3) \
         AND NOT EXISTS (SELECT 1 FROM tombstone WHERE tenant_id = ?1 AND person_id = ?2)",
    );
    const ENROL: TenantSql = TenantSql::new(
        "INSERT INTO enrolment (tenant_id, person_id, course_id, id, source, created_at) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 \
         WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE tenant_id = ?1 AND person_id = ?2) \
         ON CONFLICT (tenant_id, person_id, course_id) DO NOTHING",
    );
    let record = EdgeEvent::Enrolled { person, course, enrolment, source: source.into(), at }.record();
    [
        NUMBER_UNLESS_ENROLLED.with([person.into(), course.into()]),
        APPEND_UNLESS_ENROLLED.with([
            person.into(),
            course.into(),
            record.kind.into(),
            record.version.into(),
            record.payload.into(),
            at.into(),
        ]),
        ENROL.with([person.into(), course.into(), enrolment.into(), source.into(), at.into()]),
    ]
}

/// Ends exactly this enrolment, and tells the other plane if it was there. What the person did in the course stays.
pub fn withdraw_enrolment(
    person: UserId,
    course: CourseId,
    enrolment: EnrolmentId,
    at: Timestamp,
) -> [TenantStatement; 3] {
    const NUMBER_IF_ENROLLED: TenantSql = TenantSql::new(
        "UPDATE feed_head SET number = number + 1 WHERE id = 1 AND EXISTS \
         (SELECT 1 FROM enrolment WHERE tenant_id = ?1 AND person_id = ?2 AND course_id = ?3 AND id = ?4)",
    );
    const APPEND_IF_ENROLLED: TenantSql = TenantSql::new(
        "INSERT INTO feed_event (number, tenant_id, kind, version, payload, created_at) \
         SELECT number, ?1, ?5, ?6, ?7, ?8 FROM feed_head WHERE id = 1 AND EXISTS \
         (SELECT 1 FROM enrolment WHERE tenant_id = ?1 AND person_id = ?2 AND course_id = ?3 AND id = ?4)",
    );
    const END: TenantSql = TenantSql::new(
        "DELETE FROM enrolment WHERE tenant_id = ?1 AND person_id = ?2 AND course_id = ?3 AND id = ?4",
    );
    let record = EdgeEvent::Unenrolled { person, course, enrolment, at }.record();
    [
        NUMBER_IF_ENROLLED.with([person.into(), course.into(), enrolment.into()]),
        APPEND_IF_ENROLLED.with([
            person.into(),
            course.into(),
            enrolment.into(),
            record.kind.into(),
            record.version.into(),
            record.payload.into(),
            at.into(),
        ]),
        END.with([person.into(), course.into(), enrolment.into()]),
    ]
}
