//! Activation codes: made, exported, redeemed, revoked.

use akademi_local::api_client::{Answer, JsonExt};
use anyhow::Context;
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::{COURSE, NOTHING, OTHER_COURSE};
use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const MAKE: &str = "POST /api/v1/activation-codes/batches";
const LIST: &str = "GET /api/v1/activation-codes/batches";
const SHOW: &str = "GET /api/v1/activation-codes/batches/{batch_id}";
const EXPORT: &str = "GET /api/v1/activation-codes/batches/{batch_id}/codes.csv";
const USES: &str = "GET /api/v1/activation-codes/batches/{batch_id}/uses";
const REVOKE: &str = "POST /api/v1/activation-codes/batches/{batch_id}/revocation";
const REDEEM: &str = "POST /api/v1/activation-codes/redemptions";
const BATCHES: &str = "/api/v1/activation-codes/batches";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

fn batch(name: &str, course: &str) -> Value {
    json!({ "name": name, "count": 3, "uses_per_code": 1, "starts_at": "2026-01-01T00:00:00Z",
            "ends_at": "2999-01-01T00:00:00Z", "courses": [course] })
}

fn make(key: &'static str, batch: &Value) -> Ask {
    Ask::post(BATCHES, batch).with(IDEMPOTENCY_KEY, HeaderValue::from_static(key))
}

fn codes(sheet: &Answer) -> anyhow::Result<Vec<String>> {
    let text = std::str::from_utf8(&sheet.body)?;
    let codes = text.lines().skip(1).map(|line| line.split(',').nth(1).map(str::to_owned));
    codes.collect::<Option<_>>().with_context(|| format!("there are no codes in {text}"))
}

pub async fn activation(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let made =
        r.good((MAKE, "make"), &staff, make("spring", &batch("Spring", OTHER_COURSE))).await?.json()?;
    r.turkish((MAKE, "Turkish letters"), &staff, make("autumn", &batch("Güz dönemi ışığı", COURSE))).await?;
    r.bad((MAKE, "another under that key"), &staff, make("spring", &batch("Autumn", OTHER_COURSE))).await?;
    r.bad((MAKE, "without a key"), &staff, Ask::post(BATCHES, &batch("Spring", COURSE))).await?;
    r.bad((MAKE, "of no course"), &staff, make("none", &batch("Spring", NOTHING))).await?;
    r.good((LIST, "all"), &staff, Ask::get(BATCHES)).await?;
    r.paged(LIST, &staff, BATCHES, "").await?;
    let path = format!("{BATCHES}/{}", made.text("id")?);
    let nothing = format!("{BATCHES}/{NOTHING}");
    r.good((SHOW, "one"), &staff, Ask::get(&path)).await?;
    r.bad((SHOW, "none"), &staff, Ask::get(&nothing)).await?;
    let sheet = r.good((EXPORT, "all"), &staff, Ask::get(format!("{path}/codes.csv"))).await?;
    r.bad((EXPORT, "beyond the last"), &staff, Ask::get(format!("{path}/codes.csv?from=4"))).await?;
    r.bad((EXPORT, "of none"), &staff, Ask::get(format!("{nothing}/codes.csv"))).await?;
    redemptions(r, &codes(&sheet)?).await?;

    let uses = format!("{path}/uses");
    r.good((USES, "who"), &staff, Ask::get(&uses)).await?;
    r.turkish((USES, "their names"), &staff, Ask::get(&uses)).await?;
    r.paged(USES, &staff, &uses, "").await?;
    r.bad((USES, "of none"), &staff, Ask::get(format!("{nothing}/uses"))).await?;
    r.send(Kind::Good, (EXPORT, "with uses"), &staff, &Ask::get(format!("{path}/codes.csv?from=2"))).await?;
    let revoke = |path: &str| Ask::new(Method::POST, format!("{path}/revocation"));
    r.good((REVOKE, "revoke"), &staff, revoke(&path)).await?;
    r.bad((REVOKE, "none"), &staff, revoke(&nothing)).await?;
    let learner = r.learner()?;
    let last = codes(&sheet)?.pop().context("there is no third code")?;
    r.bad((REDEEM, "a revoked one"), &learner, redeem(&last)).await?;
    Ok(())
}

fn redeem(code: &str) -> Ask {
    Ask::post("/api/v1/activation-codes/redemptions", &json!({ "code": code }))
}

async fn redemptions(r: &mut Recorder<'_>, codes: &[String]) -> anyhow::Result<()> {
    let (staff, learner) = (r.staff.clone(), r.learner()?);
    let [first, second, ..] = codes else { anyhow::bail!("there are too few codes") };
    r.good((REDEEM, "redeem"), &learner, redeem(first)).await?;
    r.send(Kind::Good, (REDEEM, "in lower case"), &learner, &redeem(&second.to_lowercase())).await?;
    r.turkish((REDEEM, "Turkish letters"), &learner, redeem("ığdır-2222")).await?;
    r.bad((REDEEM, "used up"), &staff, redeem(first)).await?;
    r.bad((REDEEM, "mistyped"), &learner, redeem("2222-2222-2222-2223")).await?;
    r.bad((REDEEM, "that nobody made"), &learner, redeem("2222-2222-2222-2222")).await?;
    let course = Ask::get(format!("/api/v1/progress/courses/{OTHER_COURSE}"));
    r.send(Kind::Good, ("GET /api/v1/progress/courses/{course_id}", "by a code"), &learner, &course).await?;
    Ok(())
}
