//! A stand-in for PayTR and iyzico, as dev.paytr.com and docs.iyzico.com describe them. It is a program of its own and shares
//! no code with the adapters that it tests: it checks and makes signatures its own way, so that a mistake in one is not
//! repeated in the other.
//!
//! | route | what it is |
//! | --- | --- |
//! | `POST /odeme/api/get-token` | PayTR: registers an attempt; answers a token |
//! | `GET`, `POST /odeme/guvenli/{token}` | PayTR: the payment page, a form that works without scripts |
//! | `POST /odeme/iade`, `/odeme/durum-sorgu` | PayTR: refund, inquiry |
//! | `POST /rapor/islem-dokumu`, `/rapor/odeme-dokumu` | PayTR: sales and refunds of some days, what was paid out |
//! | `POST /payment/iyzipos/checkoutform/initialize/auth/ecom` | iyzico: registers an attempt; answers a token and a page |
//! | `GET`, `POST /iyzico/{token}`, `/iyzico/{token}/3ds` | iyzico: the payment page, and the bank's |
//! | `POST /payment/iyzipos/checkoutform/auth/ecom/detail`, `/payment/detail` | iyzico: what became of an attempt |
//! | `POST /payment/cancel`, `/v2/payment/refund` | iyzico: cancel, refund |
//! | `GET /v2/reporting/payment/details`, `/v2/reporting/payment/transactions` | iyzico: what became of a payment, a day's transactions |
//! | `GET`, `POST /sandbox/behaviour` | how it behaves from now on: [`Behaviour`]; absent fields are defaults |
//! | `GET /sandbox/payments` | every attempt with its callbacks and refunds: `payments` of PayTR's, `iyzico` |
//! | `POST /sandbox/merchants`, `/sandbox/iyzico-merchants` | adds or replaces a [`Merchant`] or an [`IyzicoMerchant`], as the providers' panels would |
//!
//! By default a payment is notified three times, once before the browser is sent back. A callback that is not
//! accepted (PayTR: answered exactly `OK` under status 200; iyzico: any status of success) is sent again. Where the
//! documents leave a choice the sandbox takes the stricter one: PayTR's `merchant_oid` is good for one get-token, iyzico's
//! random text for one request, and a repeated refund is a second refund.
//! Callback URLs are plain `http`; `*.localhost` is this machine, whatever the resolver says.

mod behaviour;
mod callbacks;
mod client;
mod control;
mod faults;
mod form;
mod html;
mod iyzico;
mod paytr;
mod sandbox;

use std::{io, net::SocketAddr};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tokio::{net::TcpListener, task::JoinHandle};

pub use behaviour::{Behaviour, Endpoint, Fault, FaultKind, ForeignSale, Misreport};
pub use iyzico::IyzicoMerchant;
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
    pub iyzico_merchants: Vec<IyzicoMerchant>,
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
    paytr::routes()
        .merge(iyzico::routes())
        .layer(middleware::from_fn_with_state(sandbox.clone(), faults::interfere))
        .route("/sandbox/behaviour", get(control::behaviour).post(control::set_behaviour))
        .route("/sandbox/payments", get(control::payments))
        .route("/sandbox/merchants", post(control::add_merchant))
        .route("/sandbox/iyzico-merchants", post(control::add_iyzico_merchant))
        .with_state(sandbox)
}
