//! A guest's cart, which becomes the learner's own.

use akademi_local::api_client::{Answer, ApiClient, JsonExt};
use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{authoring::Course, shop::PAID, steps::until};

const CART: &str = "/api/v1/cart";
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A browser that nobody has signed in with, by the cookie that it keeps.
pub struct Guest(HeaderValue);

impl Guest {
    /// Who was given a cookie.
    fn of(answer: &Answer) -> anyhow::Result<Self> {
        let set = answer.headers.get(header::SET_COOKIE).context("a guest was given no cookie")?;
        let (pair, _) = set.to_str()?.split_once(';').context("a cookie without attributes")?;
        Ok(Self(HeaderValue::from_str(pair)?))
    }

    /// Sends as the academy's own page does; `api` may be signed in.
    async fn send(&self, api: &ApiClient, method: Method, path: &str) -> anyhow::Result<Answer> {
        let own_page = (FETCH_SITE, HeaderValue::from_static("same-origin"));
        api.send(method, path, &[(header::COOKIE, self.0.clone()), own_page], Bytes::new()).await
    }
}

/// A guest puts the course into a cart twice, and the coupon once, as a Turkish keyboard writes it in capitals.
pub async fn fill(api: &ApiClient, course: &Course, run: &str) -> anyhow::Result<Guest> {
    let path = format!("{CART}/courses/{}", course.id);
    let guest = until("the course was not for sale", 10_000, async || {
        let put = api.send(Method::PUT, &path, &[], Bytes::new()).await?;
        (put.status == StatusCode::NO_CONTENT).then(|| Guest::of(&put)).transpose()
    })
    .await?;
    guest.send(api, Method::PUT, &path).await?.expect(StatusCode::NO_CONTENT)?;
    // İNDİRİM in UTF-8.
    let coupon = format!("{CART}/coupons/%C4%B0ND%C4%B0R%C4%B0M{}", run.to_uppercase());
    guest.send(api, Method::PUT, &coupon).await?.expect(StatusCode::NO_CONTENT)?;
    let cart = guest.send(api, Method::GET, CART).await?.expect(StatusCode::OK)?;
    holds_course(&cart, course)?;
    ensure!(cart.get("quote") == Some(&Value::Null), "a guest is given a quote: {cart}");
    let stranger = api.get(CART).await?.expect(StatusCode::OK)?;
    ensure!(stranger.get("items") == Some(&json!([])), "a cart is shown without its cookie: {stranger}");
    Ok(guest)
}

/// The first request of both makes it the learner's; what it is quoted.
pub async fn merge(
    guest: &Guest,
    api: &ApiClient,
    learner: &ApiClient,
    course: &Course,
) -> anyhow::Result<String> {
    let merged = guest.send(learner, Method::GET, CART).await?;
    let dropped = merged.headers.get(header::SET_COOKIE).and_then(|set| set.to_str().ok());
    ensure!(
        dropped.is_some_and(|set| set.contains("Max-Age=0")),
        "the browser keeps its cookie: {dropped:?}"
    );
    holds_course(&merged.expect(StatusCode::OK)?, course)?;
    let left = guest.send(api, Method::GET, CART).await?.expect(StatusCode::OK)?;
    ensure!(left.get("items") == Some(&json!([])), "the cookie opens a cart still: {left}");
    let own = learner.get(CART).await?.expect(StatusCode::OK)?;
    holds_course(&own, course)?;
    own.text("quote")
}

/// The course once, at its price less the coupon.
fn holds_course(cart: &Value, course: &Course) -> anyhow::Result<()> {
    let items = cart.get("items").and_then(Value::as_array).context("the cart has no items")?;
    let ids: Vec<_> = items.iter().filter_map(|item| item.get("id")).collect();
    ensure!(ids == [&json!(course.id)], "it holds {ids:?}");
    ensure!(cart.pointer("/totals/total/amount") == Some(&json!(PAID)), "another total: {cart}");
    Ok(())
}

/// What was bought has left it.
pub async fn is_empty(learner: &ApiClient) -> anyhow::Result<()> {
    let cart = learner.get(CART).await?.expect(StatusCode::OK)?;
    ensure!(cart.get("items") == Some(&json!([])), "what was bought is in the cart: {cart}");
    ensure!(cart.get("coupons") == Some(&json!([])), "its coupon is in the cart: {cart}");
    Ok(())
}

/// Has an address kept; how an order takes it.
pub async fn keep_address(learner: &ApiClient) -> anyhow::Result<Value> {
    let address = json!({ "kind": "individual", "name": crate::steps::LEARNER, "country": "TR", "city": "İstanbul",
                          "district": "Ümraniye", "lines": ["Atatürk Cad. 1"], "phone": "+905551112233" });
    let path = "/api/v1/users/me/addresses";
    learner.post(path, &address).await?.expect(StatusCode::CREATED)
}
