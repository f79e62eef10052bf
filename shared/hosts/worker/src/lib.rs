//! Edge functions as a Cloudflare Worker (crate `worker` 0.8), on the D1 database bound as `DB`. The features of
//! `akademi-edge-functions` say which: it is built once for each Worker of the table of functions.
//!
//! The router is made once per isolate. Cloudflare may go on running an isolate after a deployment that changes
//! nothing but bindings ("Making changes to bindings" in its documentation of them), so a router serves only
//! requests that come with the variables and the database that it was made from.
#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]

mod compression;
mod elsewhere;
mod http_client;
mod messages;
mod ports;
mod public_cache;
mod rate_limit;

use akademi_api::{
    Problem,
    caller::{ClientAddress, ClientCountry},
    config::Config,
    rate_limit::{PASSWORDS, tell_standing},
};
use akademi_edge_store::{Edge, d1::D1};
use akademi_functions::{FUNCTIONS, Plane};
use axum::{Router, body::Body, response::Response};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};
use tower::ServiceExt;
use worker::{Context, Env, console_error, event, wasm_bindgen::JsValue, web_sys};

use elsewhere::Elsewhere;
use messages::{incoming, outgoing};

/// The binding of the D1 database in the Workers' configurations.
const DATABASE: &str = "DB";

/// The header in which Cloudflare gives the client's address; it replaces what a client sends under this name.
const CLIENT_ADDRESS: &str = "cf-connecting-ip";

/// The header in which Cloudflare gives the country of that address (ISO 3166-1 alpha-2).
const CLIENT_COUNTRY: &str = "cf-ipcountry";

#[event(fetch)]
async fn fetch(request: worker::Request, env: Env, _context: Context) -> worker::Result<web_sys::Response> {
    let made = match made(&env) {
        Ok(made) => made,
        Err(cause) => {
            log_error(&cause);
            return unavailable().await;
        }
    };
    if let Some(binding) = made.elsewhere.binding(&request.path()) {
        return match elsewhere::ask(&env, binding, &request).await {
            Ok(answer) => Ok(answer),
            Err(_) => {
                log_error(&format!("no answer over the binding {binding}"));
                unavailable().await
            }
        };
    }
    let answer = respond(incoming(&request)?, &env, made.router.clone()).await;
    Ok(outgoing(answer).await?.into())
}

async fn unavailable() -> worker::Result<web_sys::Response> {
    Ok(outgoing(Problem::unavailable().render("")).await?.into())
}

async fn respond(mut request: http::Request<Body>, env: &Env, router: Router) -> Response {
    if let Some(address) = request.headers_mut().remove(CLIENT_ADDRESS)
        && let Ok(address) = address.to_str()
    {
        if let Err(problem) = rate_limit::check(env, request.method(), request.uri().path(), address).await {
            let mut refusal = problem.render("");
            PASSWORDS.tell(refusal.headers_mut());
            tell_standing(refusal.headers_mut(), PASSWORDS.name, 0, PASSWORDS.window_seconds);
            return refusal;
        }
        let address = ClientAddress(address.to_owned());
        request.extensions_mut().insert(address);
    }
    let country = request.headers_mut().remove(CLIENT_COUNTRY);
    if let Some(country) = country.and_then(|country| ClientCountry::of(country.to_str().ok()?)) {
        request.extensions_mut().insert(country);
    }
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// What one isolate keeps between requests.
struct Made {
    variables: BTreeMap<&'static str, String>,
    database: JsValue,
    router: Router,
    elsewhere: Elsewhere,
}

thread_local! {
    static MADE: RefCell<Option<Rc<Made>>> = const { RefCell::new(None) };
}

/// What this isolate answers with for what `env` binds.
fn made(env: &Env) -> Result<Rc<Made>, String> {
    let mut variables = BTreeMap::new();
    let functions = FUNCTIONS.iter().filter(|function| function.plane == Plane::Edge);
    for variable in functions.flat_map(|function| function.variables) {
        // Secrets and variables look alike here: both are strings.
        if let Ok(value) = env.var(&variable.name.to_ascii_uppercase()) {
            variables.insert(variable.name, value.to_string());
        }
    }
    let database = env.d1(DATABASE).map_err(|error| error.to_string())?;
    let binding = JsValue::clone(database.as_ref());
    MADE.with_borrow_mut(|kept| {
        if let Some(made) = kept
            && made.variables == variables
            && made.database == binding
        {
            return Ok(made.clone());
        }
        std::panic::set_hook(Box::new(log_panic));
        let lookup = |name: &str| variables.get(name).cloned();
        let edge = Edge { ports: ports::ports(), database: Arc::new(D1(database)) };
        let http = http_client::http_client();
        let (mut router, mut held) = (Router::new(), Vec::new());
        for function in FUNCTIONS.iter().filter(|function| function.plane == Plane::Edge) {
            let own = akademi_edge_functions::router(function.name, &edge, &http, &Config::new(&lookup));
            if let Some(own) = own.map_err(|error| error.to_string())? {
                router = router.merge(own);
                held.push(function.name);
            }
        }
        let elsewhere = Elsewhere::new(&held).map_err(|error| error.to_string())?;
        let made = Rc::new(Made { variables, database: binding, router, elsewhere });
        *kept = Some(made.clone());
        Ok(made)
    })
}

/// A panic ends its instance; the next request gets a new one. `worker` would log the message too, which may
/// hold a value of the request: the log gets the place only.
fn log_panic(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    log_error(&format!("panicked at {place}"));
}

fn log_error(cause: &str) {
    console_error!("{}", serde_json::json!({ "level": "error", "cause": cause }));
}
