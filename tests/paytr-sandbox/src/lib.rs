//! A stand-in for PayTR: get-token, the hosted payment page, notifications, refunds, status inquiry and the
//! transaction report, as dev.paytr.com describes them. It is a program of its own and shares no code with the
//! adapter that it tests: it checks and makes signatures its own way, so that a mistake in one is not repeated
//! in the other.
//!
//! | route | what it is |
//! | --- | --- |
//! | `POST /odeme/api/get-token` | registers an attempt; answers a token |
//! | `GET`, `POST /odeme/guvenli/{token}` | the payment page: a form that works without scripts |
//! | `POST /odeme/iade`, `/odeme/durum-sorgu`, `/rapor/islem-dokumu` | refund, inquiry, report |
//! | `GET`, `POST /sandbox/behaviour` | how it behaves from now on: [`Behaviour`]; absent fields are defaults |
//! | `GET /sandbox/payments` | every attempt with its callbacks and refunds |
//! | `POST /sandbox/merchants` | adds or replaces a [`Merchant`], as PayTR's panel would |
//!
//! By default a payment is notified three times, once before the browser is sent back. A callback that is not
//! answered exactly `OK` under status 200 is sent again. Where the documents leave a choice the sandbox takes
//! the stricter one: a `merchant_oid` is good for one get-token, and a repeated refund is a second refund.
//! Callback URLs are plain `http`; `*.localhost` is this machine, whatever the resolver says.

mod amount;
mod behaviour;
mod callbacks;
mod client;
mod control;
mod faults;
mod form;
mod get_token;
mod inquiry;
mod page;
mod payment;
mod refund;
mod report;
mod sandbox;
mod signature;

use std::{io, net::SocketAddr};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tokio::{net::TcpListener, task::JoinHandle};

pub use behaviour::{Behaviour, Endpoint, Fault, FaultKind};
use sandbox::Sandbox;

/// A shop that PayTR knows.
#[derive(Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merchant {
    pub merchant_id: String,
    pub merchant_key: String,
    pub merchant_salt: String,
    /// The Bildirim URL: where notifications are posted.
    pub callback_url: String,
}

/// What the sandbox starts with.
#[derive(Clone, Default)]
pub struct Config {
    pub merchants: Vec<Merchant>,
    pub behaviour: Behaviour,
}

/// A running sandbox. Dropping it stops listening, and no callback is sent any more.
pub struct Handle {
    server: JoinHandle<io::Result<()>>,
    sandbox: Sandbox,
}

impl Handle {
    /// Waits for the server, which ends only with an error.
    pub async fn wait(&mut self) -> io::Result<()> {
        (&mut self.server).await.map_err(io::Error::other)?
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.server.abort();
        self.sandbox.stop();
    }
}

/// Listens (port 0 takes a free one) and answers where. Needs a tokio runtime.
pub async fn serve(listen: SocketAddr, config: Config) -> io::Result<(SocketAddr, Handle)> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let sandbox = Sandbox::new(config);
    let router = router(sandbox.clone());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((address, Handle { server, sandbox }))
}

fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/odeme/api/get-token", post(get_token::get_token))
        .route("/odeme/guvenli/{token}", get(page::show).post(page::decide))
        .route("/odeme/iade", post(refund::refund))
        .route("/odeme/durum-sorgu", post(inquiry::inquire))
        .route("/rapor/islem-dokumu", post(report::report))
        .layer(middleware::from_fn_with_state(sandbox.clone(), faults::interfere))
        .route("/sandbox/behaviour", get(control::behaviour).post(control::set_behaviour))
        .route("/sandbox/payments", get(control::payments))
        .route("/sandbox/merchants", post(control::add_merchant))
        .with_state(sandbox)
}
