//! As `akademi-worker` runs its functions, with its own conversion of messages, but without bindings.

#[path = "../../../../shared/hosts/worker/src/messages.rs"]
mod messages;

use axum::Router;
use tower::ServiceExt;
use worker::{Context, Env, event};

use messages::{incoming, outgoing};

thread_local! {
    static ROUTER: Router = crate::router();
}

#[event(fetch)]
async fn fetch(request: worker::Request, _env: Env, _context: Context) -> worker::Result<worker::Response> {
    let response = match ROUTER.with(Router::clone).oneshot(incoming(&request)?).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    outgoing(response).await
}
