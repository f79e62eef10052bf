//! Price, coupon, order and payment.

use akademi_local::api_client::{ApiClient, JsonExt};
use anyhow::{Context, bail, ensure};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use std::time::Duration;

use crate::{authoring::Course, steps::until};

/// The price of the course in kuruş, VAT inside.
const PRICE: i64 = 14_990;
/// What is paid with the coupon of ten percent.
pub const PAID: i64 = PRICE - PRICE / 10;

pub async fn set_price(instructor: &ApiClient, course: &Course, run: &str) -> anyhow::Result<()> {
    let price = json!({ "amount": PRICE, "currency": "TRY", "vat_basis_points": 2000 });
    let path = format!("/api/v1/commerce/courses/{}/price", course.id);
    instructor.send_json(Method::PUT, &path, &price).await?.expect(StatusCode::OK)?;
    let coupon = json!({ "code": format!("indirim{run}"), "discount": { "kind": "percent", "share": 1000 },
        "scope": { "kind": "courses", "courses": [course.id] }, "use_limit": 5 });
    instructor.post("/api/v1/commerce/coupons", &coupon).await?.expect(StatusCode::CREATED).map(drop)
}

/// Orders what was quoted, to be billed to an address as the cart tells it.
pub async fn place_order(learner: &ApiClient, quote: &str, address: &Value) -> anyhow::Result<Value> {
    let order = json!({ "quote": quote, "buyer": address.get("buyer"),
                        "invoice_details": address.get("invoice_details") });
    let key = [
        (HeaderName::from_static("idempotency-key"), HeaderValue::from_static("journey-order")),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ];
    let body = bytes::Bytes::from(order.to_string());
    let send = async || learner.send(Method::POST, "/api/v1/orders", &key, body.clone()).await;
    // Until the feed has brought the learner to the Lambda plane, the answer says when to come again.
    let answer = until("the order was not taken", 10_000, async || {
        let answer = send().await?;
        Ok((answer.status != StatusCode::SERVICE_UNAVAILABLE).then_some(answer))
    })
    .await?;
    let made = answer.expect(StatusCode::CREATED)?;
    let again = send().await?;
    ensure!(again.headers.contains_key("idempotent-replayed"), "the same key made another order");
    ensure!(again.expect(StatusCode::CREATED)? == made, "the replay answers otherwise");
    Ok(made)
}

/// Presses the button on the provider's page, as a browser does without scripts.
pub async fn pay(api: &ApiClient, order: &Value) -> anyhow::Result<()> {
    let page =
        order.pointer("/checkout/page").and_then(Value::as_str).context("the order has no page to pay on")?;
    let shown = api.visit(Method::GET, page, "").await?;
    ensure!(shown.status == StatusCode::OK, "the provider's page answers {}", shown.status);
    let pressed = api.visit(Method::POST, page, "sonuc=ode").await?;
    match pressed.status {
        StatusCode::SEE_OTHER => Ok(()),
        StatusCode::OK => come_back(api, &String::from_utf8_lossy(&pressed.body)).await,
        other => bail!("the provider's button answers {other}"),
    }
}

/// Presses the one button of the page with which iyzico sends the browser back.
async fn come_back(api: &ApiClient, page: &str) -> anyhow::Result<()> {
    let attribute = |name: &str| {
        let (_, rest) = page.split_once(&format!("{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    };
    let (action, token) = attribute("action").zip(attribute("value")).context("the page has no form")?;
    let back = api.visit(Method::POST, action, &format!("token={token}")).await?;
    ensure!(back.status == StatusCode::SEE_OTHER, "the browser's return answers {}", back.status);
    Ok(())
}

/// One order that is paid, and one use of the coupon.
pub async fn is_paid_once(
    learner: &ApiClient,
    instructor: &ApiClient,
    order: &Value,
    run: &str,
) -> anyhow::Result<()> {
    // The provider sends its callback three times, two of them after the browser is back.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let path = format!("/api/v1/orders/{}", order.text("id")?);
    let order = learner.get(&path).await?.expect(StatusCode::OK)?;
    ensure!(order.text("state")? == "paid", "{order}");
    let orders = learner.get("/api/v1/orders").await?.expect(StatusCode::OK)?;
    let orders = orders.get("data").and_then(Value::as_array).map_or(0, Vec::len);
    ensure!(orders == 1, "there are {orders} orders");
    let coupons = instructor.get("/api/v1/commerce/coupons?limit=100").await?.expect(StatusCode::OK)?;
    let coupons = coupons.get("data").and_then(Value::as_array).context("no coupons")?;
    let is_ours = |coupon: &&Value| coupon.get("code") == Some(&json!(format!("indirim{run}")));
    let coupon = coupons.iter().find(is_ours).context("the coupon is not listed")?;
    ensure!(coupon.get("used") == Some(&json!(1)), "the coupon was not used once: {coupon}");
    Ok(())
}

pub async fn give_access(
    administrator: &ApiClient,
    learner: &ApiClient,
    course: &Course,
) -> anyhow::Result<()> {
    let person = learner.get("/api/v1/users/me").await?.expect(StatusCode::OK)?.text("id")?;
    let grant = json!({ "person": person, "course": course.id });
    administrator.post("/api/v1/enrolments", &grant).await?.expect(StatusCode::OK).map(drop)
}
