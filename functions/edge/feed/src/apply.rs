//! `POST /internal/feed`: the Lambda plane's events become rows here, with the cursor, in one atomic step.

use akademi_api::{Body, Problem};
use akademi_domain::{ids::TenantId, text::fold, time::Timestamp};
use akademi_edge_store::{Platform, Statement, StoreError, TenantStatement};
use akademi_feed::{Acknowledgement, Arrival, Batch, Decoded, LambdaEvent, arrival};
use axum::extract::State;
use http::StatusCode;

use crate::{
    Feed,
    store::{self, NewCertificate, NewLesson},
};

/// A batch's events and their JSON escapes: 512 KB of payload, or one large event.
const BATCH_LIMIT: usize = 4 * 1024 * 1024;

pub async fn apply(
    State(feed): State<Feed>,
    Body(batch): Body<Batch, BATCH_LIMIT>,
) -> Result<Body<Acknowledgement>, Problem> {
    batch.check().map_err(|error| Problem::field("events", error))?;
    let platform = feed.platform();
    let cursor = store::find_cursor(&platform, &batch.source).await?;
    match arrival(cursor, batch.from, batch.to) {
        Arrival::Repeat => return Ok(Body(Acknowledgement { cursor })),
        Arrival::Refuse { wanted } => return Err(gap(wanted)),
        Arrival::Apply => {}
    }
    let now = feed.edge.ports.now();
    let mut statements = vec![store::cursor_stands_at(&batch.source, batch.from)];
    for event in &batch.events {
        let event_statements = match LambdaEvent::decode(event).map_err(Problem::broken)? {
            Decoded::Known(known) => changes(event.tenant, known, now)?,
            // Kept by its owner until a build that knows it asks for a rebuild.
            Decoded::Unknown => Vec::new(),
        };
        statements.extend(event_statements);
    }
    statements.push(store::move_cursor(&batch.source, batch.to));
    statements.push(Platform::clear_guard());
    match platform.batch(statements).await {
        Ok(_) => Ok(Body(Acknowledgement { cursor: batch.to })),
        // Another delivery of the same batch was faster.
        Err(StoreError::Guard) => Err(gap(store::find_cursor(&platform, &batch.source).await?)),
        Err(error) => Err(error.into()),
    }
}

fn gap(wanted: i64) -> Problem {
    Problem::new(StatusCode::CONFLICT, "feed-gap", "")
        .with_detail(format!("Send what comes after number {wanted}."))
}

/// What an event changes in this database.
fn changes(tenant: TenantId, event: LambdaEvent, now: Timestamp) -> Result<Vec<Statement>, Problem> {
    let statements: Vec<TenantStatement> = match event {
        LambdaEvent::LessonPublished {
            course,
            version,
            lesson,
            title,
            duration_seconds,
            requirement,
            body,
            answers,
            words,
        } => {
            let words = fold(&format!("{title} {words}"));
            let new = NewLesson {
                course,
                version,
                lesson,
                title: &title,
                duration_seconds,
                requirement,
                body: &body,
                words,
            };
            let mut statements = vec![store::save_lesson(new)];
            statements
                .extend(answers.map(|answers| store::save_answer_key(course, version, lesson, &answers)));
            statements
        }
        LambdaEvent::CoursePublished { version, summary, outline, at } => {
            let course = outline.id;
            let words = fold(&format!("{} {summary}", outline.title.as_str()));
            vec![
                store::save_course(version, &summary, &outline, at),
                store::drop_older_lessons(course, version),
                store::drop_older_answer_keys(course, version),
                store::forget_words(course),
                store::index_course(tenant, course, &words),
                store::index_lessons(tenant, course, version),
                store::bump_generation(),
            ]
        }
        LambdaEvent::CourseWithdrawn { course } => {
            vec![store::withdraw_course(course, now), store::bump_generation()]
        }
        LambdaEvent::PriceSet { course, price, vat_rate, at: _ } => {
            vec![store::save_price(course, price, vat_rate), store::bump_generation()]
        }
        LambdaEvent::CouponSaved { id, code, terms, available, at: _ } => {
            vec![store::save_coupon(id, &code, &terms, available)]
        }
        LambdaEvent::EnrolmentGranted { person, course, enrolment, order: _, at } => {
            store::grant_enrolment(person, course, enrolment, at)
        }
        LambdaEvent::CertificateIssued { serial, person, course, title, holder, completed_at, issued_at } => {
            let holder = hex::decode(holder).map_err(Problem::broken)?;
            let holder = (!holder.is_empty()).then_some(holder);
            let title = &title;
            let new = NewCertificate { serial, person, course, title, holder, completed_at, issued_at };
            vec![store::save_certificate(new)]
        }
        LambdaEvent::CertificateRevoked { serial, at } => {
            vec![store::revoke_certificate(serial, at), store::bump_generation()]
        }
    };
    Ok(statements.into_iter().map(|statement| Platform::of_tenant(tenant, statement)).collect())
}
