//! The report tables, derived from facts a day at a time, and the dashboards that read them.
//!
//! # A day
//! A run derives one day of one academy: what each learner did in each course, what was paid, and the sums of both by
//! course. Days are those of Istanbul ([`akademi_domain::time::Day`]). It is set-based, in one transaction, and writes
//! what differs and nothing else: a second run over the same facts changes no row of a report. When it ran stands in
//! `etl_run`, which is no report.
//!
//! # The night
//! [`Etl::handle`] runs over all academies, each day of each in a transaction of its own: what breaks in one stops no
//! other, neither day nor academy, and the next night takes it up again. It looks back a month for days that were missed,
//! derives the last week again, and each older day of which facts have arrived since (`due_day`). Then what need not be kept
//! any longer goes (`akademi_domain::retention`), here and at the edge.
//!
//! # What the numbers say
//! - Paid amounts are what was captured on the day, with VAT, each currency for itself; a refund takes nothing back.
//! - A revoked certificate counts on the day of its revocation, and still as issued on the day of its issue.
//! - Watched seconds count on the day of the summary that brought them. The edge keeps one pending summary of each learner
//!   and lesson, the newest: what was watched on several days while `sync` could not reach it counts on the last of them.
//! - An active learner did something in a lesson on a day, as far as a summary of that day arrived: watched (also where all
//!   had been seen before, or nothing was believed), opened a document, answered a quiz.
//! - The average score is that of learners' best scores so far, whatever the period.

mod dashboard;
mod error;
mod learner;
mod nightly;
mod period;
mod retention;
mod runs;
mod store;

use akademi_api::{Gate, Ports, ports::Wake, signed::PlaneKeys};
use akademi_functions::routes_of;
use akademi_lambda_store::{audit::Auditor, objects::Objects, postgres::Postgres};
use axum::{
    Router,
    routing::{get, post},
};
use std::sync::Arc;
use utoipa::OpenApi;

pub use error::EtlError;
pub use nightly::{Failure, Night, ScheduleEvent};

/// What the function stands on.
#[derive(Clone)]
pub struct Etl {
    ports: Ports,
    planes: Arc<PlaneKeys>,
    postgres: Postgres,
    auditor: Auditor,
    objects: Objects,
    wake: Option<Arc<dyn Wake>>,
}

impl Etl {
    /// `objects` are the academies' files.
    pub fn new(
        ports: Ports,
        planes: Arc<PlaneKeys>,
        postgres: Postgres,
        auditor: Auditor,
        objects: Objects,
    ) -> Self {
        Self { ports, planes, postgres, auditor, objects, wake: None }
    }

    /// Has `wake` carry to the edge what a night wants of it; without it that waits for whatever else is carried.
    pub fn waking(self, wake: Arc<dyn Wake>) -> Self {
        Self { wake: Some(wake), ..self }
    }
}

pub fn router(etl: Etl) -> Router {
    let gate = Gate::lambda(routes_of!("etl"), etl.ports.clone(), etl.planes.clone());
    let router = Router::new()
        .route("/api/v1/reports/runs", post(runs::run))
        .route("/api/v1/reports/institution", get(dashboard::institution))
        .route("/api/v1/reports/instructor", get(dashboard::instructor))
        .route("/api/v1/reports/learner", get(learner::learner))
        .with_state(etl);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(runs::run, dashboard::institution, dashboard::instructor, learner::learner))]
pub struct ApiDoc;
