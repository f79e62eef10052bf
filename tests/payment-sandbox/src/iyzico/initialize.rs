//! Checkout form, initialize: registers a payment and answers its token and page.

use axum::{extract::State, response::Response};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};

use super::{
    amount::parse,
    answer::{BASKET_SUM, INVALID, PRICE_NOT_POSITIVE, Refused, answer},
    payment::{self, Item, Payment},
    signature::of_answer,
    signed_call::SignedCall,
};
use crate::sandbox::Sandbox;

pub(crate) const PATH: &str = "/payment/iyzipos/checkoutform/initialize/auth/ecom";

/// What may be empty nowhere, as JSON pointers.
const REQUIRED: [&str; 16] = [
    "/conversationId",
    "/basketId",
    "/buyer/id",
    "/buyer/name",
    "/buyer/surname",
    "/buyer/identityNumber",
    "/buyer/email",
    "/buyer/gsmNumber",
    "/buyer/registrationAddress",
    "/buyer/city",
    "/buyer/country",
    "/buyer/ip",
    "/billingAddress/contactName",
    "/billingAddress/city",
    "/billingAddress/country",
    "/billingAddress/address",
];

pub(crate) async fn initialize(State(sandbox): State<Sandbox>, call: SignedCall) -> Response {
    answer(register(&sandbox, &call))
}

fn register(sandbox: &Sandbox, call: &SignedCall) -> Result<Value, Refused> {
    let payment = read(call)?;
    let (token, conversation_id) = (payment.token.clone(), payment.conversation_id.clone());
    sandbox.iyzico.add_payment(payment);
    Ok(json!({
        "conversationId": conversation_id,
        "token": token,
        "tokenExpireTime": 1800,
        "checkoutFormContent": "",
        "paymentPageUrl": format!("http://{}/iyzico/{token}?lang=tr", call.host),
        "signature": of_answer(&call.merchant, &[&conversation_id, &token]),
    }))
}

fn read(call: &SignedCall) -> Result<Payment, Refused> {
    if REQUIRED.iter().any(|path| call.text(path).trim().is_empty()) {
        return Err(INVALID);
    }
    let callback_url = call.text("/callbackUrl");
    let absolute = callback_url.starts_with("https://") || callback_url.starts_with("http://");
    let currency = call.text("/currency");
    if !absolute || !["TRY", "USD", "EUR"].contains(&currency) || !call.text("/buyer/email").contains('@') {
        return Err(INVALID);
    }
    let price = parse(call.value("/price")).ok_or(INVALID)?;
    if price <= 0 || parse(call.value("/paidPrice")) != Some(price) {
        return Err(PRICE_NOT_POSITIVE);
    }
    let items = call.value("/basketItems").as_array().ok_or(INVALID)?;
    let items = items.iter().map(item).collect::<Result<Vec<_>, _>>()?;
    if items.iter().map(|item| item.price).sum::<i64>() != price {
        return Err(BASKET_SUM);
    }
    Ok(Payment {
        api_key: call.merchant.api_key.clone(),
        payment_id: String::new(),
        token: random_token().ok_or(INVALID)?,
        conversation_id: call.text("/conversationId").to_owned(),
        basket_id: call.text("/basketId").to_owned(),
        price,
        currency: currency.to_owned(),
        callback_url: callback_url.to_owned(),
        buyer: format!("{} {}", call.text("/buyer/name"), call.text("/buyer/surname")),
        items,
        installments: installments(call.value("/enabledInstallments"))?,
        state: payment::State::Open,
        callbacks: Vec::new(),
        given_back: Vec::new(),
    })
}

fn item(row: &Value) -> Result<Item, Refused> {
    let text = |name: &str| row.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let price = row.get("price").and_then(parse).ok_or(INVALID)?;
    if price == 0 {
        return Err(PRICE_NOT_POSITIVE);
    }
    if text("category1").is_none() || !matches!(text("itemType"), Some("VIRTUAL" | "PHYSICAL")) {
        return Err(INVALID);
    }
    match (text("id"), text("name")) {
        (Some(id), Some(name)) => Ok(Item { id: id.to_owned(), name: name.to_owned(), price }),
        _ => Err(INVALID),
    }
}

/// Absent is all that banks offer.
fn installments(value: &Value) -> Result<Vec<u8>, Refused> {
    const OFFERED: [u8; 5] = [2, 3, 6, 9, 12];
    match value {
        Value::Null => Ok(OFFERED.to_vec()),
        list => {
            let list: Vec<u8> = serde_json::from_value(list.clone()).map_err(|_| INVALID)?;
            Ok(list.into_iter().filter(|parts| OFFERED.contains(parts)).collect())
        }
    }
}

fn random_token() -> Option<String> {
    let mut random = [0; 16];
    SystemRandom::new().fill(&mut random).ok()?;
    Some(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
