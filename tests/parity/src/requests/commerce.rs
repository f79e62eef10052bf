//! Prices, coupons, quotes, orders, and what a payment provider tells of them.

use akademi_domain::{
    ids::CouponId,
    money::{Currency, Money},
    pricing::BasisPoints,
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_local::api_client::{Answer, JsonExt};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{COURSE, NOTHING, OTHER_COURSE, cart, elsewhere, shop};
use crate::{
    ask::Ask,
    kind::Kind,
    recorder::Recorder,
    seed::lambda::{MERCHANT_KEY, MERCHANT_SALT, PAYMENT, PAYMENT_AMOUNT, PENDING_ORDER},
};

const SET_PRICE: &str = "PUT /api/v1/commerce/courses/{course_id}/price";
const PRICE: &str = "GET /api/v1/commerce/courses/{course_id}/price";
const SET_SEATS: &str = "PUT /api/v1/commerce/courses/{course_id}/seats";
const SEATS: &str = "GET /api/v1/commerce/courses/{course_id}/seats";
const CHANGE_COUPON: &str = "PUT /api/v1/commerce/coupons/{coupon_id}";
const NEW_COUPON: &str = "POST /api/v1/commerce/coupons";
const COUPONS: &str = "GET /api/v1/commerce/coupons";
const SAVE_ACCOUNT: &str = "PUT /api/v1/commerce/payment-accounts";
const ACCOUNTS: &str = "GET /api/v1/commerce/payment-accounts";
const SALES: &str = "GET /api/v1/commerce/orders";
const SALE: &str = "GET /api/v1/commerce/orders/{order_id}";
const NEW_REFUND: &str = "POST /api/v1/commerce/orders/{order_id}/refunds";
pub(super) const QUOTE: &str = "POST /api/v1/coupons/quote";
const NEW_ORDER: &str = "POST /api/v1/orders";
const ORDERS: &str = "GET /api/v1/orders";
const ORDER: &str = "GET /api/v1/orders/{order_id}";
const RETURN: &str = "POST /api/v1/orders/{order_id}/return";
const CALLBACK: &str = "POST /callbacks/{provider}/{tenant_token}";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// In kuruş.
pub(super) const AMOUNT: i64 = 14_990;

pub async fn commerce(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    prices(r).await?;
    seats(r).await?;
    let set = set_price(COURSE, json!(AMOUNT));
    r.send(Kind::Good, (SET_PRICE, "of another course"), &r.staff.clone(), &set).await?;
    let bundle = shop::bundles(r).await?;
    coupons(r).await?;
    accounts(r).await?;
    shop::sales(r, &bundle).await?;
    cart::cart(r, &bundle).await?;
    bring_price(r, "price after the sale", AMOUNT).await?;
    let stale = quotes(r).await?;
    orders(r, &stale).await?;
    callbacks(r).await?;
    sales(r).await?;
    elsewhere::elsewhere(r).await
}

fn price_path(course: &str) -> String {
    format!("/api/v1/commerce/courses/{course}/price")
}

fn set_price(course: &str, amount: Value) -> Ask {
    let body = json!({ "amount": amount, "currency": "TRY", "vat_basis_points": 2000 });
    Ask::json(Method::PUT, price_path(course), &body)
}

async fn prices(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    r.bad((PRICE, "before there is one"), &staff, Ask::get(price_path(OTHER_COURSE))).await?;
    r.good((SET_PRICE, "set"), &staff, set_price(OTHER_COURSE, json!(AMOUNT))).await?;
    r.bad((SET_PRICE, "no number"), &staff, set_price(OTHER_COURSE, json!("x"))).await?;
    r.bad((SET_PRICE, "below nothing"), &staff, set_price(OTHER_COURSE, json!(-1))).await?;
    r.bad((SET_PRICE, "of an unknown course"), &staff, set_price(NOTHING, json!(1))).await?;
    r.good((PRICE, "price"), &staff, Ask::get(price_path(OTHER_COURSE))).await?;
    Ok(())
}

async fn seats(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let path = |course: &str| format!("/api/v1/commerce/courses/{course}/seats");
    let set = |course: &str, capacity: Value| {
        Ask::json(Method::PUT, path(course), &json!({ "capacity": capacity }))
    };
    r.good((SET_SEATS, "set"), &staff, set(OTHER_COURSE, json!(1000))).await?;
    r.bad((SET_SEATS, "below nothing"), &staff, set(OTHER_COURSE, json!(-1))).await?;
    r.bad((SET_SEATS, "of a course without a price"), &staff, set(COURSE, json!(1))).await?;
    r.good((SEATS, "seats"), &staff, Ask::get(path(OTHER_COURSE))).await?;
    r.bad((SEATS, "of an unknown course"), &staff, Ask::get(path(NOTHING))).await?;
    let course = OTHER_COURSE.parse()?;
    let told =
        LambdaEvent::SeatsSet { course, limited: true, available: true, at: Timestamp::from_millis(0) };
    r.bring("seats", &told).await
}

async fn coupons(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let coupons = "/api/v1/commerce/coupons";
    let coupon = |code: &str, share: u16| {
        let discount = json!({ "kind": "percent", "share": share });
        Ask::post(coupons, &json!({ "code": code, "discount": discount, "scope": { "kind": "all" } }))
    };
    r.good((NEW_COUPON, "coupon"), &staff, coupon("BAHAR", 1000)).await?;
    let made = r.turkish((NEW_COUPON, "Turkish letters"), &staff, coupon("İNDİRİM", 2000)).await?;
    r.bad((NEW_COUPON, "the same code"), &staff, coupon("ındırım", 2000)).await?;
    r.bad((NEW_COUPON, "of nothing"), &staff, coupon("HIC", 0)).await?;
    let path = format!("{coupons}/{}", made.json()?.text("id")?);
    let change = |path: &str, code: &str| {
        let discount = json!({ "kind": "percent", "share": 2000 });
        let body = json!({ "code": code, "discount": discount, "scope": { "kind": "all" }, "public": true });
        Ask::json(Method::PUT, path, &body)
    };
    r.good((CHANGE_COUPON, "change"), &staff, change(&path, "INDIRIM")).await?;
    r.turkish((CHANGE_COUPON, "Turkish letters"), &staff, change(&path, "İNDİRİM")).await?;
    r.bad((CHANGE_COUPON, "another's code"), &staff, change(&path, "bahar")).await?;
    let unknown = change(&format!("{coupons}/{NOTHING}"), "YOK");
    r.bad((CHANGE_COUPON, "an unknown one"), &staff, unknown).await?;
    r.good((COUPONS, "coupons"), &staff, Ask::get(coupons)).await?;
    r.paged(COUPONS, &staff, coupons, "").await?;
    bring_price(r, "price", AMOUNT).await?;
    bring_coupon(r, &made.json()?).await
}

/// Tells the edge what the Lambda plane now has.
async fn bring_price(r: &mut Recorder<'_>, name: &str, amount: i64) -> anyhow::Result<()> {
    let price = Money { amount, currency: Currency::TRY };
    let vat_rate = BasisPoints::try_from(2000)?;
    let at = Timestamp::from_millis(0);
    let course = OTHER_COURSE.parse()?;
    let (sale, categories) = (None, Vec::new());
    r.bring(name, &LambdaEvent::PriceSet { course, price, vat_rate, sale, categories, at }).await
}

async fn bring_coupon(r: &mut Recorder<'_>, made: &Value) -> anyhow::Result<()> {
    let id: CouponId = made.text("id")?.parse()?;
    let terms = json!({ "discount": made.get("discount"), "scope": made.get("scope"), "minimum_total": null,
                        "starts_at": null, "ends_at": null });
    let saved = LambdaEvent::CouponSaved {
        id,
        code: made.text("code")?.parse()?,
        terms: serde_json::from_value(terms)?,
        available: true,
        at: Timestamp::from_millis(0),
    };
    r.bring("coupon", &saved).await
}

fn basket(courses: &[&str], coupons: &[&str]) -> Ask {
    Ask::post("/api/v1/coupons/quote", &json!({ "courses": courses, "coupons": coupons }))
}

/// The course costs something, and then nothing any more; the quote of when it did.
async fn quotes(r: &mut Recorder<'_>) -> anyhow::Result<String> {
    let (learner, staff) = (r.learner()?, r.staff.clone());
    let course = &[OTHER_COURSE];
    r.good((QUOTE, "quote"), &learner, basket(course, &[])).await?;
    let stale = r.turkish((QUOTE, "with a coupon"), &learner, basket(course, &["indirim"])).await?;
    r.send(Kind::Good, (QUOTE, "with an unknown coupon"), &learner, &basket(course, &["YOK"])).await?;
    r.bad((QUOTE, "an unknown course"), &learner, basket(&[NOTHING], &[])).await?;
    r.bad((QUOTE, "nothing"), &learner, basket(&[], &[])).await?;
    r.bad((QUOTE, "twice the same"), &learner, basket(&[OTHER_COURSE, OTHER_COURSE], &[])).await?;
    r.send(Kind::Good, (SET_PRICE, "for nothing"), &staff, &set_price(OTHER_COURSE, json!(0))).await?;
    bring_price(r, "price of nothing", 0).await?;
    stale.json()?.text("quote")
}

async fn orders(r: &mut Recorder<'_>, stale: &str) -> anyhow::Result<()> {
    let (learner, staff) = (r.learner()?, r.staff.clone());
    let quoted =
        r.send(Kind::Good, (QUOTE, "of nothing to pay"), &learner, &basket(&[OTHER_COURSE], &[])).await?;
    let quote = quoted.json()?.text("quote")?;
    let order =
        |quote: &str, buyer: Value| Ask::post("/api/v1/orders", &json!({ "quote": quote, "buyer": buyer }));
    let keyed = |key: &'static str, ask: Ask| ask.with(IDEMPOTENCY_KEY, HeaderValue::from_static(key));
    r.bad((NEW_ORDER, "without a key"), &learner, order(&quote, Value::Null)).await?;
    r.bad((NEW_ORDER, "at a price that has changed"), &learner, keyed("a", order(stale, Value::Null)))
        .await?;
    r.bad((NEW_ORDER, "with a made-up quote"), &learner, keyed("b", order("abc", Value::Null))).await?;
    r.bad((NEW_ORDER, "with another's quote"), &staff, keyed("c", order(&quote, Value::Null))).await?;
    let nobody = json!({ "name": "Ali", "tax_number": "10000000145", "district": "Merkez", "city": "Ankara",
                         "country": "Türkiye" });
    let billed = Ask::post("/api/v1/orders", &json!({ "quote": quote, "invoice_details": nobody }));
    r.bad((NEW_ORDER, "billed to a number that does not hold"), &learner, keyed("f", billed)).await?;
    let made: Answer = r.good((NEW_ORDER, "order"), &learner, keyed("d", order(&quote, Value::Null))).await?;
    r.send(Kind::Good, (NEW_ORDER, "replayed"), &learner, &keyed("d", order(&quote, Value::Null))).await?;
    let buyer = json!({ "phone": "05550000000", "address": "Ümraniye, İstanbul" });
    r.bad((NEW_ORDER, "another body under the key"), &learner, keyed("d", order(&quote, buyer.clone())))
        .await?;
    r.turkish((NEW_ORDER, "a Turkish address"), &learner, keyed("e", order(&quote, buyer))).await?;

    let orders = "/api/v1/orders";
    r.good((ORDERS, "orders"), &learner, Ask::get(orders)).await?;
    r.paged(ORDERS, &staff, orders, "").await?;
    let path = format!("{orders}/{}", made.json()?.text("id")?);
    r.good((ORDER, "order"), &learner, Ask::get(&path)).await?;
    r.bad((ORDER, "another's"), &staff, Ask::get(&path)).await?;
    r.bad((ORDER, "unknown"), &learner, Ask::get(format!("{orders}/{NOTHING}"))).await?;

    let browser = r.umraniye.clone();
    let back = |order: &str| {
        let form = "application/x-www-form-urlencoded";
        Ask::new(Method::POST, format!("{orders}/{order}/return")).body(form, "token=x".to_owned())
    };
    r.good((RETURN, "with nobody's token"), &browser, back(NOTHING)).await?;
    r.bad((RETURN, "to no order"), &browser, back("x")).await?;
    Ok(())
}

/// PayTR goes on taking the orders.
async fn accounts(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, path) = (r.staff.clone(), "/api/v1/commerce/payment-accounts");
    let save = |secret: &str| {
        let settings = json!({ "provider": "stripe", "secret_key": secret, "webhook_secret": "whsec_demo" });
        Ask::json(Method::PUT, path, &json!({ "settings": settings, "takes_orders": false }))
    };
    r.good((SAVE_ACCOUNT, "Stripe"), &staff, save("sk_test_demo")).await?;
    r.bad((SAVE_ACCOUNT, "no secret"), &staff, save("")).await?;
    r.good((ACCOUNTS, "all"), &staff, Ask::get(path)).await?;
    r.bad((ACCOUNTS, "made-up token"), &r.umraniye.signed_in("abc"), Ask::get(path)).await?;
    Ok(())
}

/// A capture as PayTR signs it (dev.paytr.com, iFrame API, step 2), on the platform's host.
fn callback(path: &str, told: i64) -> anyhow::Result<Ask> {
    let oid = PAYMENT.simple().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(MERCHANT_KEY.as_bytes()).map_err(anyhow::Error::msg)?;
    mac.update(format!("{oid}{MERCHANT_SALT}success{PAYMENT_AMOUNT}").as_bytes());
    let form = serde_urlencoded::to_string([
        ("merchant_oid", oid.as_str()),
        ("status", "success"),
        ("total_amount", &told.to_string()),
        ("hash", &STANDARD.encode(mac.finalize().into_bytes())),
        ("payment_amount", &PAYMENT_AMOUNT.to_string()),
        ("currency", "TL"),
        ("test_mode", "1"),
    ])?;
    Ok(Ask::new(Method::POST, path).body("application/x-www-form-urlencoded", form))
}

async fn callbacks(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (platform, path) = (r.platform.clone(), r.deployment.callback.clone());
    r.bad((CALLBACK, "forged"), &platform, callback(&path, PAYMENT_AMOUNT * 10)?).await?;
    r.bad((CALLBACK, "of nobody"), &platform, callback("/callbacks/paytr/00", PAYMENT_AMOUNT)?).await?;
    let other = path.replace("paytr", "stripe");
    r.bad((CALLBACK, "of an unknown provider"), &platform, callback(&other, PAYMENT_AMOUNT)?).await?;
    r.good((CALLBACK, "captured"), &platform, callback(&path, PAYMENT_AMOUNT)?).await?;
    r.send(Kind::Good, (CALLBACK, "captured, told again"), &platform, &callback(&path, PAYMENT_AMOUNT)?)
        .await?;
    Ok(())
}

/// Of the order that was captured: its provider is nobody whom these hosts reach, so that its refunds wait.
async fn sales(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let sales = "/api/v1/commerce/orders";
    r.good((SALES, "orders"), &staff, Ask::get(sales)).await?;
    r.bad((SALES, "of no state"), &staff, Ask::get(format!("{sales}?state=shipped"))).await?;
    r.paged(SALES, &staff, sales, "").await?;
    let sale = format!("{sales}/{PENDING_ORDER}");
    let refund = |key: &'static str, body: Value| {
        Ask::post(format!("{sale}/refunds"), &body).with(IDEMPOTENCY_KEY, HeaderValue::from_static(key))
    };
    let part = |amount: i64, reason: &str| json!({ "amount": amount, "reason": reason });
    r.bad((NEW_REFUND, "without a reason"), &staff, refund("a", part(1, ""))).await?;
    r.bad((NEW_REFUND, "of nothing"), &staff, refund("b", part(0, "x"))).await?;
    r.bad((NEW_REFUND, "of too much"), &staff, refund("c", part(PAYMENT_AMOUNT + 1, "x"))).await?;
    r.good((NEW_REFUND, "refund"), &staff, refund("d", part(1, "x"))).await?;
    r.send(Kind::Good, (NEW_REFUND, "replayed"), &staff, &refund("d", part(1, "x"))).await?;
    r.turkish((NEW_REFUND, "a Turkish reason"), &staff, refund("e", part(1, "Öğrenci vazgeçti"))).await?;
    r.good((SALE, "order"), &staff, Ask::get(&sale)).await?;
    r.bad((SALE, "unknown"), &staff, Ask::get(format!("{sales}/{NOTHING}"))).await?;
    Ok(())
}
