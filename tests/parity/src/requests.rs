//! The list: what is asked of every host, in this order.

mod academies;
mod activation;
mod audit;
mod authoring;
mod books;
mod cart;
mod catalog;
mod certificates;
mod commerce;
mod credentials;
mod doors;
mod elsewhere;
mod federation;
mod feed;
mod identity;
mod images;
mod invoices;
mod learning;
mod mail;
mod passkeys;
mod people;
mod privacy;
mod publications;
mod reports;
mod reviews;
mod shop;

use akademi_api::ports::HttpClient;
use akademi_domain::time::Timestamp;
use akademi_local::api_client::ApiClient;
use anyhow::Context;
use std::sync::Arc;

use crate::{Deployment, Exchange, recorder::Recorder};

const COURSE: &str = "01890000-0000-7000-8000-0000000000c1";
const OTHER_COURSE: &str = "01890000-0000-7000-8000-0000000000c2";
const VIDEO: &str = "01890000-0000-7000-8000-0000000000a1";
const TEXT: &str = "01890000-0000-7000-8000-0000000000a2";
const QUIZ: &str = "01890000-0000-7000-8000-0000000000a3";
const LIVE: &str = "01890000-0000-7000-8000-0000000000a4";
/// Videos of the academy, which stand in no outline; one is delivery-bound.
const FILM: &str = "01890000-0000-7000-8000-0000000000a8";
const BOUND: &str = "01890000-0000-7000-8000-0000000000a9";
/// An id that names nothing.
const NOTHING: &str = "01890000-0000-7000-8000-0000000000b1";

/// How a deployment is reached.
pub struct Doors<'a> {
    pub http: Arc<dyn HttpClient>,
    /// An academy's own address, by its host.
    pub academy: &'a dyn Fn(&str) -> String,
    /// The Lambda plane's address.
    pub platform: String,
}

/// Sends the whole list.
///
/// # Errors
/// When the host gives no answer, or one that the list cannot go on from.
pub async fn run(
    deployment: &Deployment,
    doors: Doors<'_>,
    now: &dyn Fn() -> Timestamp,
) -> anyhow::Result<Vec<Exchange>> {
    let client = |host: &str| ApiClient::new(doors.http.clone(), (doors.academy)(host));
    let umraniye = client("umraniye.localhost");
    let mut recorder = Recorder {
        deployment,
        now,
        staff: umraniye.signed_in(deployment.staff_token(now())?),
        umraniye,
        kadikoy: client("kadikoy.localhost"),
        nobody: client("nobody.localhost"),
        platform: ApiClient::new(doors.http.clone(), doors.platform),
        learner: None,
        operator: client("platform.localhost").signed_in(deployment.operator_token(now())?),
        events: 0,
        exchanges: Vec::new(),
    };
    let sent = send_all(&mut recorder).await;
    sent.with_context(|| format!("after {:?}", recorder.exchanges.last()))?;
    Ok(recorder.exchanges)
}

async fn send_all(recorder: &mut Recorder<'_>) -> anyhow::Result<()> {
    doors::doors(recorder).await?;
    feed::feed(recorder).await?;
    catalog::catalog(recorder).await?;
    identity::identity(recorder).await?;
    credentials::credentials(recorder).await?;
    people::people(recorder).await?;
    commerce::commerce(recorder).await?;
    books::books(recorder).await?;
    learning::learning(recorder).await?;
    reviews::reviews(recorder).await?;
    certificates::certificates(recorder).await?;
    authoring::authoring(recorder).await?;
    images::images(recorder).await?;
    reports::reports(recorder).await?;
    activation::activation(recorder).await?;
    academies::academies(recorder).await?;
    invoices::invoices(recorder).await?;
    mail::mail(recorder).await?;
    federation::federation(recorder).await?;
    passkeys::passkeys(recorder).await?;
    privacy::privacy(recorder).await?;
    audit::audit(recorder).await?;
    identity::sign_out(recorder).await?;
    privacy::farewell(recorder).await
}
