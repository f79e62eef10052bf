//! Health, documents, and addresses that nobody has.

use akademi_api::signed::Purpose;
use http::{HeaderValue, Method, header};
use serde_json::json;

use crate::{ask::Ask, kind::Kind, recorder::Recorder};

pub async fn doors(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (umraniye, nobody, platform) = (r.umraniye.clone(), r.nobody.clone(), r.platform.clone());
    r.good(("GET /health/live", "live"), &nobody, Ask::get("/health/live")).await?;
    r.good(("GET /health/ready", "ready"), &nobody, Ask::get("/health/ready")).await?;

    for (name, route, path) in [
        ("document", "GET /api/openapi.json", "/api/openapi.json"),
        ("document to read", "GET /api/docs", "/api/docs"),
    ] {
        r.good((route, name), &umraniye, Ask::get(path)).await?;
        r.bad((route, "document of nobody"), &nobody, Ask::get(path)).await?;
    }

    r.send(Kind::Bad, ("", "unknown address"), &umraniye, &Ask::get("/api/v1/nothing")).await?;
    r.send(Kind::Bad, ("", "no address at all"), &umraniye, &Ask::get("/")).await?;
    let browser = |path: &str| {
        Ask::get(path).with(header::ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml"))
    };
    r.send(Kind::Bad, ("", "a page that there is not"), &umraniye, &browser("/ders/işık")).await?;
    r.send(Kind::Bad, ("", "a page of no academy"), &nobody, &browser("/")).await?;
    r.send(Kind::Bad, ("", "unknown address of nobody"), &nobody, &Ask::get("/api/v1/nothing")).await?;
    let callback = Ask::post("/callbacks/paytr/00", &json!({}));
    r.send(Kind::Bad, ("", "a callback to an academy"), &umraniye, &callback).await?;
    r.send(Kind::Bad, ("", "another academy's method"), &umraniye, &Ask::new(Method::PUT, "/api/v1/academy"))
        .await?;

    let health = Ask::get("/internal/health").signed(Purpose::Wake);
    r.good(("GET /internal/health", "health of the Lambda plane"), &platform, health).await?;
    let forward = Ask::get("/internal/health").signed(Purpose::Feed);
    r.bad(("GET /internal/health", "signed for another purpose"), &platform, forward).await?;
    let wake = Ask::new(Method::POST, "/internal/wake").signed(Purpose::Wake);
    r.good(("POST /internal/wake", "wake"), &platform, wake).await?;
    let forward = Ask::new(Method::POST, "/internal/wake").signed(Purpose::Origin);
    r.bad(("POST /internal/wake", "signed for another purpose"), &platform, forward).await?;
    // No academy's host leads there.
    r.send(
        Kind::Bad,
        ("", "health of the Lambda plane, at an academy"),
        &umraniye,
        &Ask::get("/internal/health"),
    )
    .await?;
    Ok(())
}
