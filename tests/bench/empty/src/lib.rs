//! A function that does nothing: natively, as a Spin component (`component`) and as a Worker (`worker`).

#[cfg(target_os = "wasi")]
mod component;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod worker;

use axum::{Router, routing::get};

/// Answers `GET /` with nothing.
pub fn router() -> Router {
    Router::new().route("/", get(async || {}))
}
