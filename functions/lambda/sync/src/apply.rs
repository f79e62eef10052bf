//! What an event of the edge changes in PostgreSQL: the read copies, what a completed course earns, mail that
//! waits, and the audit log.

use akademi_certificates::Completion;
use akademi_feed::{Decoded, EdgeEvent, Envelope, LambdaEvent};
use akademi_lambda_store::{
    audit::{self, NewEntry},
    feed,
    mail::{WantedMail, queue_mail},
    postgres::TenantTransaction,
};
use serde_json::Value;

use crate::{Sync, SyncError, store, withheld};

/// Applies an event in its academy's transaction; the line that the log gets once it is committed, if any.
///
/// # Errors
/// [`SyncError::Unfit`] for an event that is not what its kind says; [`SyncError::Store`].
pub async fn apply(
    sync: &Sync,
    tx: &mut TenantTransaction,
    envelope: &Envelope,
) -> Result<Option<Value>, SyncError> {
    let unfit = |fault, detail: String| SyncError::Unfit { fault, detail };
    let decoded = EdgeEvent::decode(envelope)
        .map_err(|error| unfit("it is not of its kind's shape", error.to_string()))?;
    let Decoded::Known(event) = decoded else {
        // Kept by its owner until a build that knows it asks for a rebuild.
        return Ok(None);
    };
    match event {
        EdgeEvent::AcademySaved {
            id,
            slug,
            name,
            locale,
            brand_colour,
            state,
            domains,
            storage_limit,
            features_off,
        } => {
            if id != envelope.tenant {
                return Err(unfit("it is of another academy than it says", format!("it says {id}")));
            }
            let academy = store::Academy {
                id,
                slug,
                name,
                locale,
                brand_colour,
                state,
                domains,
                storage_limit,
                features_off,
            };
            store::save_academy(tx, &academy, sync.ports.now()).await?;
        }
        EdgeEvent::AcademyDeleted { at, whole: true } => store::bury_academy(tx, at).await?,
        EdgeEvent::AcademyDeleted { at: _, whole: false } => {
            let now = sync.ports.now();
            feed::append(tx, &LambdaEvent::RetentionDue { at: now }, now).await?;
        }
        EdgeEvent::PersonSaved { person, profile, state, at } => {
            let sealed = hex::decode(&profile)
                .map_err(|error| unfit("its profile is not in hex", error.to_string()))?;
            if !store::save_person(tx, person, &sealed, &state, at).await? {
                // Told by an edge that was restored from before the erasure, or by a feed that is replayed.
                let erased = LambdaEvent::PersonErased { person, at: sync.ports.now() };
                feed::append(tx, &erased, sync.ports.now()).await?;
            }
        }
        EdgeEvent::PersonErased { person, at } => {
            store::bury(tx, person, at).await?;
            store::destroy_key(tx, person).await?;
            store::empty_person(tx, person, at).await?;
            store::drop_waiting_mail(tx, person).await?;
            store::forget_answers(tx, person).await?;
        }
        EdgeEvent::Enrolled { person, course, enrolment, source, at } => {
            store::save_enrolment(tx, person, course, enrolment, &source, at).await?;
        }
        EdgeEvent::Unenrolled { person: _, course: _, enrolment, at } => {
            store::delete_enrolment(tx, enrolment, at).await?;
        }
        event @ EdgeEvent::ProgressSaved { .. } => {
            let told: Vec<_> = progress_summary(event).into_iter().collect();
            store::save_progress(tx, &told).await?;
        }
        EdgeEvent::CourseCompleted { person, course, enrolment, at } => {
            store::complete_enrolment(tx, person, enrolment, at).await?;
            return withheld::issue_or_queue(sync, tx, Completion { person, course, enrolment, at }).await;
        }
        EdgeEvent::MailWanted { mail, person, kind, recipient, link, host, locale, at } => {
            let recipient = hex::decode(&recipient)
                .map_err(|error| unfit("its recipient is not in hex", error.to_string()))?;
            let wanted =
                WantedMail { id: mail, person, kind, recipient, link, order: None, host, locale, at };
            queue_mail(tx, &wanted, &sync.ports).await?;
        }
        EdgeEvent::Audited { id, action, actor, target, origin, sealed_for, change, at } => {
            let origin =
                hex::decode(&origin).map_err(|error| unfit("its origin is not in hex", error.to_string()))?;
            let entry = NewEntry { id, at, action, actor, target, origin, sealed_for, change };
            audit::append(tx, entry).await?;
        }
    }
    Ok(None)
}

/// What an event tells of a learner's progress, if that is what it is about.
pub fn progress_summary(event: EdgeEvent) -> Option<store::ProgressSummary> {
    let EdgeEvent::ProgressSaved {
        person,
        course,
        lesson,
        seconds,
        coverage_permille,
        refused_seconds,
        score,
        completed_at,
        updated_at,
    } = event
    else {
        return None;
    };
    Some(store::ProgressSummary {
        person,
        course,
        lesson,
        seconds,
        coverage_permille,
        refused_seconds,
        score,
        completed_at,
        updated_at,
    })
}
