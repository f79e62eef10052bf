//! The requests that another Worker answers, handed on whole over its service binding.
//!
//! Between two Workers the runtime passes the very request and the very answer: a body streams, an encoded one stays
//! as it is, and what Cloudflare tells of the client stands in the same headers.

use akademi_functions::{ROUTES, worker_of};
use matchit::{InsertError, Router};
use worker::{
    Env, wasm_bindgen::JsCast, wasm_bindgen_futures::JsFuture, web_sys::Response, worker_sys::Fetcher,
};

/// Which paths another Worker answers.
pub struct Elsewhere(Router<Option<&'static str>>);

impl Elsewhere {
    /// The functions that this build holds are not elsewhere. Their paths stand among the others all the same, and so
    /// do those of Lambda's: which of two routes a path belongs to is decided among all, as axum does it.
    ///
    /// # Errors
    /// When a path would belong to two routes.
    pub fn new(held: &[&str]) -> Result<Self, InsertError> {
        let mut paths = Router::new();
        let mut known: Vec<&str> = Vec::new();
        for route in ROUTES {
            if !known.contains(&route.path) {
                known.push(route.path);
                let other = worker_of(route.function).filter(|_| !held.contains(&route.function));
                paths.insert(route.path, other.and_then(|worker| worker.binding))?;
            }
        }
        Ok(Self(paths))
    }

    /// The service binding of the Worker that answers `path`, as it stands in the address, unless it is this one.
    pub fn binding(&self, path: &str) -> Option<&'static str> {
        self.0.at(path).ok().and_then(|found| *found.value)
    }
}

/// What the Worker behind `binding` answers.
///
/// # Errors
/// When there is no such binding, or that Worker fails.
pub async fn ask(env: &Env, binding: &str, request: &worker::Request) -> worker::Result<Response> {
    // `worker`'s own type would make the answer anew.
    let service: Fetcher = env.service(binding)?.into_rpc();
    Ok(JsFuture::from(service.fetch(request.inner())?).await?.dyn_into()?)
}
