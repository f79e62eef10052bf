//! The steps in their order.

use akademi_domain::mail::LinkPurpose;
use akademi_local::api_client::ApiClient;
use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{future::Future, time::Duration};

use crate::{
    authoring::{self, Course},
    cart, learning, mailbox, proof,
    report::Report,
    reports, shop,
};
use akademi_local::api_client::JsonExt;

const PASSWORD: &str = "bir yolculuk parolası";
/// The whole name of somebody whom careless software cannot spell.
pub const LEARNER: &str = "Şükrü Iğdır Çağlayangöl";

/// The academy that is walked through, and who works there.
pub struct Academy {
    /// The academy's own address, nobody signed in.
    pub api: ApiClient,
    /// An academy of the same deployment that must see nothing of it.
    pub other: ApiClient,
    pub administrator: (String, String),
    pub instructor: (String, String),
    /// The course as an OLX archive: with a film among its files, a document, and a quiz of single choices.
    pub archive: Bytes,
}

/// Walks the whole way; a step that fails ends it, since the next ones stand on it.
pub async fn walk(academy: &Academy) -> Report {
    let mut report = Report::default();
    // Which step it ended at stands in the report.
    let _ = walk_steps(academy, &mut report).await;
    report
}

async fn walk_steps(academy: &Academy, report: &mut Report) -> Option<()> {
    let (api, other) = (&academy.api, &academy.other);
    report.step("the deployment is ready", ready(api)).await?;
    let run = report.step("a run has a name of its own", async { run_name() }).await?;
    let instructor = report.step("the instructor signs in", sign_in(api, &academy.instructor)).await?;
    let administrator =
        report.step("the administrator signs in", sign_in(api, &academy.administrator)).await?;
    let before =
        report.step("the academy's figures are brought up to date", reports::before(&administrator)).await?;

    let cut = authoring::refuse_cut_archive(&instructor, &academy.archive, &run);
    report.step("an archive that is cut off is refused and leaves nothing", cut).await?;
    let sent = authoring::import_course(&instructor, &academy.archive, &run);
    let imported = report.step("the instructor sends the course, its film is transcoded", sent).await?;
    report
        .step("the report lists every block that it counts", async { authoring::accounts(&imported) })
        .await?;
    let named = authoring::name_and_require(&instructor, &imported, &run);
    let course = report.step("it is named; film, document and quiz are required", named).await?;
    report.step("a learner cannot see the draft", authoring::is_hidden(api, &course)).await?;
    report
        .step(
            "the instructor sets a price with VAT and a coupon",
            shop::set_price(&instructor, &course, &run),
        )
        .await?;
    report.step("the instructor publishes it", authoring::publish(&instructor, &course)).await?;

    let page =
        report.step("it shows up at the edge through the feed", authoring::appears(api, &course)).await?;
    let holds = async { authoring::holds_no_secret(&page, &course) };
    report.step("its public page holds no lesson and no answer", holds).await?;
    report.step("another academy answers 404 for it", authoring::is_hidden(other, &course)).await?;
    let found = authoring::finds(api, &course, &run);
    report.step("it is found by isik, IŞIK, iklim and a word in a lesson", found).await?;

    let filled = cart::fill(api, &course, &run);
    let guest = report.step("a guest puts it into a cart, with the coupon", filled).await?;
    let learner = report.step("the guest registers and signs in", join(api, &run)).await?;
    report
        .step("without access its lessons are not there", learning::has_no_access(&learner, &course))
        .await?;
    let merged = cart::merge(&guest, api, &learner, &course);
    let quote = report.step("the guest's cart is the learner's, and is quoted", merged).await?;
    let address = report.step("an address is kept for bills", cart::keep_address(&learner)).await?;
    let placed = shop::place_order(&learner, &quote, &address);
    let order = report.step("an order is made, once for one key", placed).await?;
    report.step("the provider's page takes the payment", shop::pay(api, &order)).await?;
    let usable = learning::is_usable(&learner, &course, &run);
    report.step("the paid course is there within a second", usable).await?;
    report.step("it has left the cart", cart::is_empty(&learner)).await?;
    let once = shop::is_paid_once(&learner, &instructor, &order, &run);
    report.step("one payment and one coupon use, whatever the provider repeats", once).await?;
    let again = shop::give_access(&administrator, &learner, &course);
    report.step("staff cannot enrol twice", again).await?;

    report.step("the film plays in every rendition", learning::plays(&learner, &course)).await?;
    report.step("heartbeats fill it, in any order and twice", learning::watch(&learner, &course)).await?;
    let claimed = learning::overclaim(&learner, &course);
    let gained = report.step("nobody watches an hour in a second", claimed).await?;
    report.step("the document is opened", learning::open_document(&learner, &course)).await?;
    let scored = learning::answer(&learner, &course);
    report.step("the quiz is scored on the server and completes the course", scored).await?;
    report.step("progress says so", learning::is_complete(&learner, &course)).await?;

    let certificate = report.step("a certificate is issued", proof::issued(&learner, &course)).await?;
    let printed = proof::prints(&learner, &certificate);
    report.step("its PDF names the learner, its QR code leads to the check", printed).await?;
    let valid = proof::is_valid(api, other, &certificate, &course);
    report.step("a stranger finds it valid, at this academy only", valid).await?;
    let watched = u64::from(course.film.seconds) + gained;
    let figures = reports::show(&administrator, &instructor, &learner, &course, &before, watched);
    report.step("the nightly run fills the dashboards, once", figures).await?;
    let revoked = proof::revoke(&administrator, api, &learner, &certificate);
    report.step("revoked, page and API say so with the date", revoked).await?;
    report.step("signing out ends the session", sign_out(&learner)).await
}

async fn ready(api: &ApiClient) -> anyhow::Result<()> {
    api.get("/health/live").await?.expect(StatusCode::OK)?;
    api.get("/health/ready").await?.expect(StatusCode::OK).map(drop)
}

/// Letters that make this run's course and people its own, also as a word to search for.
fn run_name() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect())
}

async fn sign_in(api: &ApiClient, (email, password): &(String, String)) -> anyhow::Result<ApiClient> {
    api.sign_in(email, password).await
}

async fn join(api: &ApiClient, run: &str) -> anyhow::Result<ApiClient> {
    let email = format!("yolcu-{run}@example.org");
    api.register(LEARNER, &email, PASSWORD).await?;
    api.confirm(&mailbox::token(api, &email, LinkPurpose::ConfirmAddress.page()).await?).await?;
    let learner = api.sign_in(&email, PASSWORD).await?;
    let account = learner.get("/api/v1/users/me").await?.expect(StatusCode::OK)?;
    ensure!(account.text("name")? == LEARNER, "the name came back as another");
    Ok(learner)
}

async fn sign_out(learner: &ApiClient) -> anyhow::Result<()> {
    learner.post("/api/v1/auth/logout", &json!({})).await?.expect(StatusCode::NO_CONTENT)?;
    let change = json!({ "name": "Geç Kalan" });
    let answer = learner.send_json(Method::PATCH, "/api/v1/users/me", &change).await?;
    answer.expect(StatusCode::UNAUTHORIZED).map(drop)
}

/// Asks again and again until there is something, for at most so many milliseconds.
pub async fn until<T, F: Future<Output = anyhow::Result<Option<T>>>>(
    what: &str,
    millis: u64,
    mut ask: impl FnMut() -> F,
) -> anyhow::Result<T> {
    let asking = async {
        loop {
            if let Some(found) = ask().await? {
                return Ok(found);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_millis(millis), asking)
        .await
        .with_context(|| format!("{what} within {millis} ms"))?
}

/// The whole number at `key`.
pub fn number(answer: &Value, key: &str) -> anyhow::Result<u64> {
    answer
        .get(key)
        .and_then(Value::as_u64)
        .with_context(|| format!("the answer has no number {key:?}: {answer}"))
}

/// The lessons' path of a course.
pub fn lesson_path(course: &Course, lesson: &str) -> String {
    format!("/api/v1/learning/courses/{}/lessons/{lesson}", course.id)
}
