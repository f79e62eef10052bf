//! What an academy decides about itself, its hosts, and the platform's view of all academies.

use akademi_local::api_client::JsonExt;
use http::Method;
use serde_json::{Value, json};

use super::NOTHING;
use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const SETTINGS: &str = "GET /api/v1/academy/settings";
const CHANGE: &str = "PATCH /api/v1/academy/settings";
const DOMAINS: &str = "GET /api/v1/academy/domains";
const CLAIM: &str = "POST /api/v1/academy/domains";
const VERIFY: &str = "POST /api/v1/academy/domains/{host}/verification";
const REMOVE: &str = "DELETE /api/v1/academy/domains/{host}";
const LIST: &str = "GET /api/v1/platform/academies";
const CREATE: &str = "POST /api/v1/platform/academies";
const SHOW: &str = "GET /api/v1/platform/academies/{academy_id}";
const LIMIT: &str = "PATCH /api/v1/platform/academies/{academy_id}";
const STATE: &str = "PUT /api/v1/platform/academies/{academy_id}/state";
const DELETE: &str = "PUT /api/v1/platform/academies/{academy_id}/deletion";
const RESTORE: &str = "DELETE /api/v1/platform/academies/{academy_id}/deletion";

pub async fn academies(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    settings(r).await?;
    domains(r).await?;
    platform(r).await
}

async fn settings(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, path) = (r.staff.clone(), "/api/v1/academy/settings");
    let change = |body: Value| Ask::json(Method::PATCH, path, &body);
    r.good((SETTINGS, "all"), &staff, Ask::get(path)).await?;
    r.bad((SETTINGS, "made-up token"), &r.umraniye.signed_in("abc"), Ask::get(path)).await?;
    r.good((CHANGE, "time zone"), &staff, change(json!({ "time_zone": "Asia/Tokyo" }))).await?;
    r.turkish((CHANGE, "name"), &staff, change(json!({ "name": "Ümraniye Açık Akademi" }))).await?;
    for (name, body) in [
        ("no colour", json!({ "brand_colour": "yeşil" })),
        ("no time zone", json!({ "time_zone": "Europe/Ankara" })),
        ("every origin", json!({ "origins": ["*"] })),
        ("its limit", json!({ "people_limit": null })),
    ] {
        r.bad((CHANGE, name), &staff, change(body)).await?;
    }
    Ok(())
}

async fn domains(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, path) = (r.staff.clone(), "/api/v1/academy/domains");
    let claim = |host: &str| Ask::post(path, &json!({ "host": host }));
    let verify = |host: &str| Ask::new(Method::POST, format!("{path}/{host}/verification"));
    let remove = |host: &str| Ask::new(Method::DELETE, format!("{path}/{host}"));
    r.good((CLAIM, "claim"), &staff, claim("egitim.example.org")).await?;
    r.bad((CLAIM, "another's"), &staff, claim("kadikoy.localhost")).await?;
    r.bad((CLAIM, "an address"), &staff, claim("192.0.2.1")).await?;
    r.good((DOMAINS, "all"), &staff, Ask::get(path)).await?;
    r.bad((DOMAINS, "made-up token"), &r.umraniye.signed_in("abc"), Ask::get(path)).await?;
    // What is verified is looked up no more: no name server answers here.
    r.good((VERIFY, "its own"), &staff, verify("umraniye.localhost")).await?;
    r.bad((VERIFY, "never claimed"), &staff, verify("nobody.example.org")).await?;
    r.good((REMOVE, "the claim"), &staff, remove("egitim.example.org")).await?;
    r.bad((REMOVE, "the host that is asked on"), &staff, remove("umraniye.localhost")).await?;
    r.bad((REMOVE, "another's"), &staff, remove("kadikoy.localhost")).await?;
    Ok(())
}

async fn platform(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (operator, path) = (r.operator.clone(), "/api/v1/platform/academies");
    let new = |slug: &str, host: &str| {
        let body = json!({
            "slug": slug, "name": "Beşiktaş Işık Akademisi", "locale": "tr", "brand_colour": "#112233", "host": host,
            "administrator": { "name": "Gülşen Işıklı", "email": "gulsen@example.org" }, "people_limit": 100
        });
        Ask::post(path, &body)
    };
    let made = r.good((CREATE, "make"), &operator, new("besiktas", "besiktas.localhost")).await?.json()?;
    r.turkish((CREATE, "the same slug"), &operator, new("besiktas", "baska.localhost")).await?;
    r.bad((CREATE, "the same host"), &operator, new("baska", "besiktas.localhost")).await?;
    r.bad((CREATE, "no slug"), &operator, new("Beşiktaş", "baska.localhost")).await?;
    r.good((LIST, "all"), &operator, Ask::get(path)).await?;
    r.paged(LIST, &operator, path, "").await?;

    let (one, nothing) = (format!("{path}/{}", made.text("id")?), format!("{path}/{NOTHING}"));
    r.good((SHOW, "one"), &operator, Ask::get(&one)).await?;
    r.bad((SHOW, "none"), &operator, Ask::get(&nothing)).await?;
    let limit = |path: &str, people: Value| {
        Ask::json(Method::PATCH, path, &json!({ "people_limit": people, "storage_limit": 5_000_000_000_i64 }))
    };
    r.good((LIMIT, "fewer"), &operator, limit(&one, json!(50))).await?;
    r.bad((LIMIT, "less than nobody"), &operator, limit(&one, json!(-1))).await?;
    let state =
        |path: &str, state: &str| Ask::json(Method::PUT, format!("{path}/state"), &json!({ "state": state }));
    r.good((STATE, "suspend"), &operator, state(&one, "suspended")).await?;
    r.bad((STATE, "none that there is"), &operator, state(&one, "asleep")).await?;
    let deletion = |method: Method, path: &str| Ask::new(method, format!("{path}/deletion"));
    r.good((DELETE, "delete"), &operator, deletion(Method::PUT, &one)).await?;
    r.bad((DELETE, "none"), &operator, deletion(Method::PUT, &nothing)).await?;
    r.good((RESTORE, "have back"), &operator, deletion(Method::DELETE, &one)).await?;
    r.bad((RESTORE, "again"), &operator, deletion(Method::DELETE, &one)).await?;
    r.send(Kind::Good, (SHOW, "as it was"), &operator, &Ask::get(&one)).await?;
    Ok(())
}
