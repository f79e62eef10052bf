//! What the edge asks of this plane itself: to look at its feed, whether it is well, what it keeps of somebody.

use akademi_api::{Gate, Problem, ports::Wake};
use akademi_functions::routes_of;
use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use http::StatusCode;
use std::sync::Arc;

use crate::{Sync, person_records};

#[derive(Clone)]
pub struct Doors {
    pub sync: Sync,
    wake: Arc<dyn Wake>,
}

pub fn router(sync: Sync, wake: Arc<dyn Wake>) -> Router {
    let gate = Gate::lambda(routes_of!("sync"), sync.ports.clone(), sync.planes.clone());
    let router = Router::new()
        .route("/internal/wake", post(wake_up))
        .route("/internal/health", get(health))
        .route("/internal/person-records", post(person_records::tell))
        .with_state(Doors { sync, wake });
    gate.guard(router)
}

async fn wake_up(State(doors): State<Doors>) -> StatusCode {
    doors.wake.wake();
    StatusCode::ACCEPTED
}

async fn health(State(doors): State<Doors>) -> Result<StatusCode, Problem> {
    doors.sync.postgres.ready().await.map_err(|error| Problem::unavailable().because(error))?;
    Ok(StatusCode::OK)
}
