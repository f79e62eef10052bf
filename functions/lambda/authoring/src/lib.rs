//! Course authoring: drafts, their content, publishing.
//!
//! # A draft
//! A draft is a course's title, slug, summary and language, and its content: modules of sections of lessons. Authors see
//! all of it, bodies and answer keys included. Each change carries the `revision` that it was made from, in the body, and
//! is refused with 409 when the draft has moved on: the signed forward between the planes covers the body of a request,
//! but no `If-Match`.
//!
//! The content is replaced as a whole. A lesson that is sent with its id stays the same lesson, so that
//! learners' progress in it survives; one without an id is new; one that is missing is gone with the next publication.
//! Html is sanitised on its way in, with the policy of [`akademi_olx`]; a lesson that comes back as it was read is kept
//! byte for byte, with the references that an import wrote.
//!
//! # Publishing
//! One transaction: the version is kept, every lesson of it goes into the feed, and the course as the last event makes them
//! visible. The newest [`versions::KEPT_VERSIONS`] versions can be looked at and put back into the draft.
//!
//! # Files
//! [`pictures`] are images of the academy that a draft shows. [`imports`] makes a draft of an archive that was sent straight to storage; [`assets`] leads whoever is enrolled to the
//! files of a course by signed links. [`uploads`] takes files in parts and makes them files of courses, and [`storage_use`]
//! counts what the academy stores.
//!
//! # Jobs
//! [`create_course`], [`import_content`] and [`publish_course`] are the same steps for whoever holds a transaction.

mod assets;
mod audit;
mod body_check;
mod check;
mod content;
mod courses;
mod error;
mod imports;
mod pictures;
mod publication;
mod quiz_check;
mod sanitising;
mod storage;
mod storage_use;
mod store;
mod uploads;
mod versions;
mod video_settings;
mod words;

use akademi_api::{Gate, Ports, ports::Wake, signed::PlaneKeys};
use akademi_functions::routes_of;
use akademi_lambda_store::{audit::Auditor, postgres::Postgres};
use axum::{
    Router,
    routing::{get, post, put},
};
use std::sync::Arc;
use utoipa::OpenApi;

pub use check::{MAX_ANSWERS_BYTES, MAX_BODY_BYTES, MAX_CONTENT_BYTES, MAX_LESSONS, MAX_STRUCTURE_BYTES};
pub use content::{ImportedContent, LessonInput, ModuleInput, SectionInput, import_content};
pub use courses::{CourseHead, NewCourse, Summary, create_course};
pub use error::AuthoringError;
pub use imports::{ImportCounts, ImportResult, MAX_ARCHIVE_BYTES};
pub use publication::publish_course;
pub use storage::Storage;
pub use words::MAX_WORDS_BYTES;

/// What the function stands on.
#[derive(Clone)]
pub struct Authoring {
    ports: Ports,
    planes: Arc<PlaneKeys>,
    postgres: Postgres,
    storage: Storage,
    workers: Arc<dyn Wake>,
    auditor: Auditor,
    sync: Option<Arc<dyn Wake>>,
    scanner: Option<uploads::clamd::VirusScanner>,
}

impl Authoring {
    /// `workers` has whoever runs [`Authoring::run_next_import`] and transcodes look for a job soon.
    pub fn new(
        ports: Ports,
        planes: Arc<PlaneKeys>,
        postgres: Postgres,
        storage: Storage,
        workers: Arc<dyn Wake>,
        auditor: Auditor,
    ) -> Self {
        Self { ports, planes, postgres, storage, workers, auditor, sync: None, scanner: None }
    }

    /// Has `sync` look at the feed after each publication; without it a publication waits for the schedule.
    pub fn waking(self, sync: Arc<dyn Wake>) -> Self {
        Self { sync: Some(sync), ..self }
    }
}

pub fn router(authoring: Authoring) -> Router {
    let gate = Gate::lambda(routes_of!("authoring"), authoring.ports.clone(), authoring.planes.clone());
    let router = Router::new()
        .route("/api/v1/authoring/courses", post(courses::create).get(courses::list))
        .route("/api/v1/authoring/courses/{course_id}", get(courses::show).patch(courses::change))
        .route("/api/v1/authoring/courses/{course_id}/content", put(content::replace))
        .route("/api/v1/authoring/courses/{course_id}/pictures", get(pictures::show).put(pictures::choose))
        .route("/api/v1/authoring/courses/{course_id}/publish", post(publication::publish))
        .route("/api/v1/authoring/courses/{course_id}/versions", get(versions::list))
        .route("/api/v1/authoring/courses/{course_id}/versions/{version}", get(versions::show))
        .route("/api/v1/authoring/courses/{course_id}/versions/{version}/restore", post(versions::restore))
        .route("/api/v1/authoring/courses/{course_id}/assets", post(uploads::attaching::attach))
        .route("/api/v1/authoring/imports", post(imports::create))
        .route("/api/v1/authoring/imports/{job_id}/start", post(imports::start))
        .route("/api/v1/authoring/jobs/{job_id}", get(imports::job::show))
        .route("/api/v1/media/{asset_id}/{*path}", get(assets::show))
        .route("/api/v1/uploads", post(uploads::create).get(uploads::list))
        .route("/api/v1/uploads/{upload_id}", get(uploads::show).delete(uploads::delete))
        .route("/api/v1/uploads/{upload_id}/parts", post(uploads::parts::links))
        .route("/api/v1/uploads/{upload_id}/complete", post(uploads::completion::complete))
        .route("/api/v1/academy/storage", get(storage_use::show))
        .route("/api/v1/academy/video-settings", get(video_settings::show).put(video_settings::save))
        .with_state(authoring);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(
    courses::create,
    courses::list,
    courses::show,
    courses::change,
    content::replace,
    pictures::show,
    pictures::choose,
    publication::publish,
    versions::list,
    versions::show,
    versions::restore,
    imports::create,
    imports::start,
    imports::job::show,
    assets::show,
    uploads::create,
    uploads::list,
    uploads::show,
    uploads::delete,
    uploads::parts::links,
    uploads::completion::complete,
    uploads::attaching::attach,
    storage_use::show,
    video_settings::show,
    video_settings::save
))]
pub struct ApiDoc;
