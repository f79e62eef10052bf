//! `POST /internal/feed`: the Lambda plane's events become rows here, with the cursor, in one atomic step.

use akademi_api::{Body, Problem};
use akademi_domain::{ids::TenantId, pricing::Product, text::fold, time::Timestamp};
use akademi_edge_store::{
    Platform, Statement, StoreError, TenantStatement, erase_person, grant_enrolment, withdraw_enrolment,
};
use akademi_feed::{Acknowledgement, Arrival, Batch, Decoded, LambdaEvent, arrival};
use axum::extract::State;
use http::StatusCode;

use crate::{
    Feed,
    store::{self, NewCertificate, NewLesson, SavedBundle},
};

/// A batch's events and their JSON escapes: 512 KB of payload, or one large event.
const BATCH_LIMIT: usize = 4 * 1024 * 1024;
/// As many statements as one step takes; D1 takes 1,000 queries of one invocation ("Limits" in its documentation).
const MAX_STATEMENTS: usize = 500;

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
    let is_night = batch.events.iter().any(|event| event.kind == "retention_due");
    let to_delete = if is_night { store::academies_to_delete(&platform, now).await? } else { Vec::new() };
    let mut statements = vec![store::cursor_stands_at(&batch.source, batch.from)];
    let mut to = batch.from;
    for event in &batch.events {
        let event_statements = match LambdaEvent::decode(event).map_err(Problem::broken)? {
            Decoded::Known(LambdaEvent::RetentionDue { .. }) if to_delete.contains(&event.tenant) => {
                of_tenant(event.tenant, store::delete_academy(event.tenant, now))
            }
            Decoded::Known(known) => changes(event.tenant, known, now)?,
            // Kept by its owner until a build that knows it asks for a rebuild.
            Decoded::Unknown => Vec::new(),
        };
        // What is left comes again, after where the cursor stands then.
        if to > batch.from && statements.len() + event_statements.len() > MAX_STATEMENTS {
            break;
        }
        statements.extend(event_statements);
        to = event.number;
    }
    // With no event left, all numbers up to the batch's end are superseded.
    if batch.events.last().is_none_or(|last| last.number == to) {
        to = batch.to;
    }
    statements.push(store::move_cursor(&batch.source, to));
    statements.push(Platform::clear_guard());
    match platform.batch(statements).await {
        Ok(_) => Ok(Body(Acknowledgement { cursor: to })),
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
            opens,
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
                opens,
                body: &body,
                words,
            };
            let mut statements = vec![store::save_lesson(new)];
            statements
                .extend(answers.map(|answers| store::save_answer_key(course, version, lesson, &answers)));
            statements
        }
        LambdaEvent::CoursePublished { version, summary, outline, owner, at } => {
            let course = outline.id;
            let words = fold(&format!("{} {summary}", outline.title.as_str()));
            vec![
                store::save_course(version, &summary, &outline, owner, at),
                store::begin_figures(course),
                store::drop_older_lessons(course, version),
                store::drop_older_answer_keys(course, version),
                store::forget_words(course),
                store::index_course(tenant, course, &words),
                store::index_lessons(tenant, course, version),
                store::bump_generation(),
            ]
        }
        LambdaEvent::PlaylistMade { asset, folder, path, deflated } => {
            vec![store::save_playlist(asset, &folder, &path, &deflated)]
        }
        LambdaEvent::VideoReady { asset, course, folder, duration_ms, poster } => vec![
            store::save_video(asset, &folder, duration_ms, poster.as_deref()),
            store::drop_older_playlists(asset, &folder),
            store::tell_lessons_length(asset, course, duration_ms / 1000),
        ],
        LambdaEvent::CourseWithdrawn { course } => {
            vec![store::withdraw_course(course, now), store::bump_generation()]
        }
        LambdaEvent::PriceSet { course, price, vat_rate, sale, categories, at: _ } => {
            let product = Product { course, price, sale, vat_rate, categories };
            vec![store::save_price(&product), store::bump_generation()]
        }
        LambdaEvent::BundleSaved { id, title, courses, price, sale, for_sale, at: _ } => {
            let (title, courses) = (title.as_str(), &*courses);
            let bundle = SavedBundle { id, title, courses, price, sale, for_sale };
            vec![store::save_bundle(bundle), store::bump_generation()]
        }
        LambdaEvent::CouponSaved { id, code, terms, available, at: _ } => {
            vec![store::save_coupon(id, &code, &terms, available)]
        }
        LambdaEvent::CouponSpent { coupon, person, spent: true, at: _ } => {
            vec![store::spend_coupon(coupon, person)]
        }
        LambdaEvent::CouponSpent { coupon, person, spent: false, at: _ } => {
            vec![store::give_back_coupon(coupon, person)]
        }
        LambdaEvent::SeatsSet { course, limited, available, at: _ } => {
            vec![store::save_seats(course, limited.then_some(available)), store::bump_generation()]
        }
        LambdaEvent::SoldElsewhereSet { course, label, url } => {
            vec![store::save_sold_elsewhere(course, &label, &url), store::bump_generation()]
        }
        LambdaEvent::EnrolmentGranted { person, course, enrolment, order: _, at } => {
            grant_enrolment(person, course, enrolment, "order", at).into()
        }
        LambdaEvent::EnrolmentWithdrawn { person, course, enrolment, at } => {
            withdraw_enrolment(person, course, enrolment, at).into()
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
        LambdaEvent::IdentityProviderSaved { provider, name, kind } => {
            vec![store::save_identity_provider(&provider, &name, &kind), store::bump_generation()]
        }
        LambdaEvent::IdentityProviderRemoved { provider } => {
            vec![store::delete_identity_provider(&provider), store::bump_generation()]
        }
        LambdaEvent::PersonErased { person, at } => erase_person(person, at),
        LambdaEvent::RetentionDue { at: _ } => {
            // By the clock here: whoever tells of a night that is long over deletes nothing too early.
            let mut statements = store::delete_what_is_due(now);
            statements.extend(store::tell_erasures(now));
            statements
        }
    };
    Ok(of_tenant(tenant, statements))
}

fn of_tenant(tenant: TenantId, statements: Vec<TenantStatement>) -> Vec<Statement> {
    statements.into_iter().map(|statement| Platform::of_tenant(tenant, statement)).collect()
}
