//! Staff of the academy, and a course of what staff has a say in.

use akademi_api::Caller;
use akademi_domain::{
    course::{
        CourseOutline, Html, LessonBody, LessonOutline, ModuleOutline, Requirement, SectionOutline,
        SubmissionForm, opening::Opening,
    },
    ids::{LessonId, ModuleId, SectionId, SessionId, UserId},
    permission::{Permissions, Role},
};
use akademi_edge_store::Statement;
use akademi_feed::LambdaEvent;
use akademi_seal::{PersonKey, Vault};
use futures::executor::block_on;

use crate::world::{MADE, World, course, tenant};

/// Who teaches the course, who teaches another, and who administers.
pub const TEACHER: u8 = 21;
pub const COLLEAGUE: u8 = 22;
pub const ADMINISTRATOR: u8 = 23;

/// A live class, which has to be attended, an assignment, which has to be accepted, and a text.
pub const LIVE: u8 = 31;
pub const ASSIGNMENT: u8 = 32;
pub const TEXT: u8 = 33;

pub fn lesson_id(number: u8) -> LessonId {
    LessonId::new(MADE, [number; 10])
}

pub fn staff_id(number: u8) -> UserId {
    UserId::new(MADE, [number; 10])
}

pub fn staff(number: u8) -> Caller {
    let role = if number == ADMINISTRATOR { Role::TenantAdmin } else { Role::Instructor };
    with_permissions(number, role.permissions())
}

pub fn with_permissions(number: u8, permissions: Permissions) -> Caller {
    let session = SessionId::new(MADE, [number; 10]);
    Caller { tenant: tenant(), user: staff_id(number), session, permissions }
}

impl World {
    /// Where the course is published with its teacher's name, and staff has signed in.
    pub fn with_staff(is_lax: bool) -> Self {
        let mut world = Self::over(is_lax);
        for number in [TEACHER, COLLEAGUE, ADMINISTRATOR] {
            world.sign_in(number);
        }
        world.publish_taught(2, None);
        world
    }

    fn sign_in(&self, number: u8) {
        let (person, session) = (staff_id(number), SessionId::new(MADE, [number; 10]));
        let key = PersonKey::from_bytes([number; 32]);
        let vault = Vault::from_config(&self.variables["edge_master_key"]).unwrap();
        let wrapped = vault.wrap_key(tenant(), person, &key, [number; 24]);
        let lookup: &[u8] = &[number; 32];
        let statement = |sql, params| Statement { sql, params };
        let statements = vec![
            statement(
                "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
                 VALUES (?1, ?2, ?3, x'00', '', 'active', 1, ?4)",
                vec![tenant().into(), person.into(), lookup.into(), MADE.into()],
            ),
            statement(
                "INSERT INTO person_key VALUES (?1, ?2, ?3)",
                vec![tenant().into(), person.into(), wrapped.into()],
            ),
            statement(
                "INSERT INTO session (tenant_id, id, person_id, nonce, generation, device, created_at, rotated_at, \
                 authenticated_at) VALUES (?1, ?2, ?3, x'00', 0, '', ?4, ?4, ?4)",
                vec![tenant().into(), session.into(), person.into(), MADE.into()],
            ),
        ];
        block_on(self.edge.database.batch(statements)).unwrap();
    }

    /// The course with its lessons, all of them in one module.
    pub fn publish_taught(&mut self, version: i64, opens: Option<Opening>) {
        let html = || Html::sanitised("<p>Işık</p>".into());
        let live = LessonBody::Live {
            description: html(),
            starts_at: MADE.plus_seconds(3600),
            duration_minutes: 90,
            seats: Some(30),
        };
        let submission = SubmissionForm { text: true, files: None };
        let assignment =
            LessonBody::Assignment { instructions: html(), due_at: None, max_points: 20, submission };
        let lessons = [
            (LIVE, live, Some(Requirement::Attended)),
            (ASSIGNMENT, assignment, Some(Requirement::Accepted)),
            (TEXT, LessonBody::Html { html: html() }, None),
        ];
        let mut outlines = Vec::new();
        for (number, body, requirement) in lessons {
            outlines.push(LessonOutline {
                id: lesson_id(number),
                title: "Işık".parse().unwrap(),
                kind: body.kind(),
                duration_seconds: None,
                requirement,
            });
            self.apply(&LambdaEvent::LessonPublished {
                course: course(),
                version,
                lesson: lesson_id(number),
                title: "Işık".into(),
                duration_seconds: None,
                requirement,
                opens: opens.clone(),
                body,
                answers: None,
                words: String::new(),
            });
        }
        let section = SectionOutline {
            id: SectionId::new(MADE, [1; 10]),
            title: "Son".parse().unwrap(),
            lessons: outlines,
        };
        let module = ModuleOutline {
            id: ModuleId::new(MADE, [1; 10]),
            title: "Son".parse().unwrap(),
            at_least: None,
            opens,
            sections: vec![section],
        };
        let outline = CourseOutline {
            id: course(),
            slug: "isik".parse().unwrap(),
            title: "Işık".parse().unwrap(),
            language: None,
            minimum_score: None,
            pictures: Default::default(),
            modules: vec![module],
        };
        let (summary, owner) = (String::new(), Some(staff_id(TEACHER)));
        self.apply(&LambdaEvent::CoursePublished { version, summary, outline, owner, at: MADE });
    }
}
