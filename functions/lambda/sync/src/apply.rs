//! What an event of the edge changes in PostgreSQL: the read copies, and what a completed course earns.

use akademi_certificates::{Completion, issue};
use akademi_feed::{Decoded, EdgeEvent, Envelope};
use akademi_lambda_store::platform::PlatformTransaction;

use crate::{Sync, SyncError, store};

pub async fn apply(
    sync: &Sync,
    platform: &mut PlatformTransaction,
    envelope: &Envelope,
) -> Result<(), SyncError> {
    let decoded = EdgeEvent::decode(envelope).map_err(|error| SyncError::Batch(error.to_string()))?;
    let Decoded::Known(event) = decoded else {
        // Kept by its owner until a build that knows it asks for a rebuild.
        return Ok(());
    };
    let tx = platform.tenant(envelope.tenant).await?;
    match event {
        EdgeEvent::AcademySaved { id, slug, name, locale, brand_colour, state, domains } => {
            let academy = store::Academy { id, slug, name, locale, brand_colour, state, domains };
            store::save_academy(tx, &academy, sync.ports.now()).await?;
        }
        EdgeEvent::PersonSaved { person, profile, state, at } => {
            let sealed = hex::decode(&profile).map_err(|error| SyncError::Batch(error.to_string()))?;
            store::save_person(tx, person, &sealed, &state, at).await?;
        }
        EdgeEvent::Enrolled { person, course, enrolment, source, at } => {
            store::save_enrolment(tx, person, course, enrolment, &source, at).await?;
        }
        EdgeEvent::ProgressSaved {
            person,
            course,
            lesson,
            seconds,
            coverage_permille,
            refused_seconds,
            score,
            completed_at,
            updated_at,
        } => {
            let summary = store::ProgressSummary {
                person,
                course,
                lesson,
                seconds,
                coverage_permille,
                refused_seconds,
                score,
                completed_at,
            };
            store::save_progress(tx, &summary, updated_at).await?;
        }
        EdgeEvent::CourseCompleted { person, course, enrolment, at } => {
            store::complete_enrolment(tx, person, enrolment, at).await?;
            issue(tx, &sync.ports, &sync.vault, Completion { person, course, enrolment, at }).await?;
        }
    }
    Ok(())
}
