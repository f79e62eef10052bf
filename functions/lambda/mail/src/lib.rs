//! What Akademi writes to people.
//!
//! The edge wants a mail, `sync` keeps it with its recipient sealed, and this function sends it: it opens the recipient with
//! the person's key, derives the token of its link (`akademi_api::links`), puts both into the templates of its kind and
//! language, and hands the message to a [`Mailer`]. Nothing of that is kept: a row says where a mail is and, for staff, why
//! it was not sent.
//!
//! A mail that may yet be taken is tried for a day, or as long as its link is good, after 5 s, 10 s, … 15 min; one that the
//! server refuses for good fails at once. Staff see both, and send the latter again.
//!
//! Delivery is at least once: see [`delivery`].

pub mod delivery;
mod error;
mod mailer;
mod mails;
mod message;
mod render;
mod smtp;
mod store;
mod words;

use akademi_api::{
    Gate, Ports,
    config::{Config, ConfigError},
    links::LinkKeys,
    ports::Wake,
    public_url::is_this_machine,
    signed::PlaneKeys,
};
use akademi_functions::{LAMBDA_MASTER_KEY, MAIL_FROM, PLANE_ROOT_KEYS, routes_of};
use akademi_lambda_store::{audit::Auditor, postgres::Postgres};
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, post},
};
use lettre::message::Mailbox;
use std::sync::Arc;
use utoipa::OpenApi;

pub use delivery::Delivered;
pub use error::MailError;
pub use mailer::{Mailer, Message, Undelivered};
pub use smtp::SmtpMailer;

/// What the function stands on.
#[derive(Clone)]
pub struct Mail {
    ports: Ports,
    planes: Arc<PlaneKeys>,
    postgres: Postgres,
    vault: Arc<Vault>,
    auditor: Auditor,
    links: Arc<LinkKeys>,
    mailer: Arc<dyn Mailer>,
    /// Its name gives way to the academy's.
    sender: Mailbox,
    wake: Arc<dyn Wake>,
    local_port: Option<u16>,
}

impl Mail {
    /// `wake` has [`Mail::deliver_due`] called soon.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn new(
        ports: Ports,
        postgres: Postgres,
        mailer: Arc<dyn Mailer>,
        wake: Arc<dyn Wake>,
        config: &Config<'_>,
    ) -> Result<Self, ConfigError> {
        let vault = Arc::new(config.read(LAMBDA_MASTER_KEY, Vault::from_config)?);
        Ok(Self {
            auditor: Auditor::new(ports.clone(), vault.clone()),
            ports,
            planes: Arc::new(config.read(PLANE_ROOT_KEYS, PlaneKeys::from_config)?),
            postgres,
            vault,
            links: Arc::new(config.read(PLANE_ROOT_KEYS, LinkKeys::from_config)?),
            mailer,
            sender: config.read(MAIL_FROM, message::parse_sender)?,
            wake,
            local_port: None,
        })
    }

    /// Academies on this very machine answer on this port.
    pub fn with_local_port(self, port: u16) -> Self {
        Self { local_port: Some(port), ..self }
    }

    /// An academy's host with the port that people need to name.
    fn public_host(&self, host: &str) -> String {
        match self.local_port.filter(|_| is_this_machine(host)) {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }
}

pub fn router(mail: Mail) -> Router {
    let gate = Gate::lambda(routes_of!("mail"), mail.ports.clone(), mail.planes.clone());
    let router = Router::new()
        .route("/api/v1/mails", get(mails::list))
        .route("/api/v1/mails/{mail_id}/retry", post(mails::retry))
        .with_state(mail);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(mails::list, mails::retry))]
pub struct ApiDoc;
