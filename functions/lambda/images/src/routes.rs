//! What staff ask of images, and everybody of pictures.
//!
//! An *image* is what was made of an upload by a preset and a crop; its files are *pictures*, stored once for each content
//! ([`akademi_lambda_store::pictures`]). The same upload, preset and crop are the same image. The upload stays what it was, so
//! that people can crop it again; its own bytes are free once its owner deletes it, and images made of it stay.
//!
//! An image is made in two steps, between which its files are stored: rows that reserve their bytes, then the moment when it
//! is ready. Nobody sees it before, and the night gives up what was never finished.

mod error;
mod images;
mod making;
mod pictures;
mod store;

use akademi_api::{
    Gate, Ports,
    config::{Config, ConfigError},
    signed::PlaneKeys,
};
use akademi_functions::routes_of;
use akademi_lambda_store::{audit::Auditor, objects::Objects, postgres::Postgres};
use axum::{
    Router,
    routing::{get, post},
};
use std::sync::Arc;
use tokio::sync::Semaphore;
use utoipa::OpenApi;

/// Sources that are decoded at once: each takes hundreds of megabytes and a processor.
const AT_ONCE: usize = 2;

/// What the function stands on.
#[derive(Clone)]
pub struct Images {
    ports: Ports,
    planes: Arc<PlaneKeys>,
    postgres: Postgres,
    objects: Objects,
    auditor: Auditor,
    places: Arc<Semaphore>,
}

impl Images {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn new(
        ports: Ports,
        planes: Arc<PlaneKeys>,
        postgres: Postgres,
        objects: Objects,
        config: &Config<'_>,
    ) -> Result<Self, ConfigError> {
        let auditor = Auditor::from_config(ports.clone(), config)?;
        let places = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self { ports, planes, postgres, objects, auditor, places })
    }
}

pub fn router(images: Images) -> Router {
    let gate = Gate::lambda(routes_of!("images"), images.ports.clone(), images.planes.clone());
    let router = Router::new()
        .route("/api/v1/images", post(images::create).get(images::list))
        .route("/api/v1/images/{image_id}", get(images::show).delete(images::delete))
        .route("/api/v1/pictures/{name}", get(pictures::show))
        .with_state(images);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(images::create, images::list, images::show, images::delete, pictures::show))]
pub struct ApiDoc;
