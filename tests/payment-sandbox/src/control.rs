//! `/sandbox/…`: what tests and journeys steer and see, and what the providers' panels would set.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;

use crate::{IyzicoMerchant, Merchant, behaviour::Behaviour, callbacks, sandbox::Sandbox};

pub(crate) async fn behaviour(State(sandbox): State<Sandbox>) -> Json<Behaviour> {
    Json(sandbox.behaviour())
}

/// Replaces the whole behaviour and sends the callbacks that were held to be reordered.
pub(crate) async fn set_behaviour(
    State(sandbox): State<Sandbox>,
    behaviour: Result<Json<Behaviour>, JsonRejection>,
) -> Response {
    match behaviour {
        Err(rejection) => rejection.into_response(),
        Ok(Json(behaviour)) => {
            let held = sandbox.set_behaviour(behaviour.clone());
            callbacks::release(&sandbox, held, behaviour.clone());
            Json(behaviour).into_response()
        }
    }
}

pub(crate) async fn payments(State(sandbox): State<Sandbox>) -> Response {
    Json(json!({"payments": sandbox.payments(), "iyzico": sandbox.iyzico.payments()})).into_response()
}

pub(crate) async fn add_merchant(
    State(sandbox): State<Sandbox>,
    merchant: Result<Json<Merchant>, JsonRejection>,
) -> Response {
    match merchant {
        Err(rejection) => rejection.into_response(),
        Ok(Json(merchant)) => {
            sandbox.add_merchant(merchant);
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

pub(crate) async fn add_iyzico_merchant(
    State(sandbox): State<Sandbox>,
    merchant: Result<Json<IyzicoMerchant>, JsonRejection>,
) -> Response {
    match merchant {
        Err(rejection) => rejection.into_response(),
        Ok(Json(merchant)) => {
            sandbox.iyzico.add_merchant(merchant);
            StatusCode::NO_CONTENT.into_response()
        }
    }
}
