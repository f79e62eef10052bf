//! `POST /odeme/api/get-token`: iFrame API step 1.

use std::{net::IpAddr, time::Duration};

use axum::{Json, extract::State};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};

use super::{
    payment::{ABANDONED, BasketLine, Payment, failure},
    signature,
};
use crate::{
    callbacks::{self, Notice},
    form::Form,
    sandbox::{Decision, Sandbox},
};

const SIGNED: [&str; 10] = [
    "merchant_id",
    "user_ip",
    "merchant_oid",
    "email",
    "payment_amount",
    "user_basket",
    "no_installment",
    "max_installment",
    "currency",
    "test_mode",
];

pub(crate) async fn get_token(State(sandbox): State<Sandbox>, form: Form) -> Json<Value> {
    match register(&sandbox, &form) {
        Ok(token) => Json(json!({"status": "success", "token": token})),
        Err(reason) => Json(json!({"status": "failed", "reason": reason})),
    }
}

fn register(sandbox: &Sandbox, form: &Form) -> Result<String, String> {
    let merchant = sandbox.merchant(form.text("merchant_id")).ok_or_else(|| field("merchant_id"))?;
    if !signature::accepts(&merchant, &form.concatenated(&SIGNED), form.text("paytr_token")) {
        return Err("paytr_token gonderilmedi veya gecersiz".to_owned());
    }
    let payment = read(form)?;
    let token = payment.token.clone();
    if !sandbox.add_payment(payment) {
        return Err("merchant_oid daha once kullanildi".to_owned());
    }
    abandon_in_time(sandbox, form, &token);
    Ok(token)
}

fn field(name: &str) -> String {
    format!("Zorunlu alan degeri gecersiz veya gonderilmedi: {name}")
}

fn read(form: &Form) -> Result<Payment, String> {
    user_ip(form.text("user_ip"))?;
    let oid = text(form, "merchant_oid", 64)?;
    if !oid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(field("merchant_oid"));
    }
    let email = text(form, "email", 100)?;
    if !email.contains('@') {
        return Err(field("email"));
    }
    text(form, "user_address", 400)?;
    text(form, "user_phone", 20)?;
    let currency = match form.text("currency") {
        "" | "TRY" => "TL",
        currency @ ("TL" | "EUR" | "USD" | "GBP" | "RUB") => currency,
        _ => return Err(field("currency")),
    };
    Ok(Payment {
        merchant_id: form.text("merchant_id").to_owned(),
        merchant_oid: oid,
        token: random_token()?,
        payment_amount: payment_amount(form.text("payment_amount"))?,
        currency: currency.to_owned(),
        test_mode: flag(form, "test_mode", true)?,
        email,
        user_name: text(form, "user_name", 60)?,
        basket: basket(form.text("user_basket"))?,
        max_installments: max_installments(form)?,
        ok_url: url(form, "merchant_ok_url")?,
        fail_url: url(form, "merchant_fail_url")?,
        outcome: None,
        callbacks: Vec::new(),
        refunds: Vec::new(),
    })
}

fn text(form: &Form, name: &str, limit: usize) -> Result<String, String> {
    let text = form.text(name);
    let fits = !text.is_empty() && text.chars().count() <= limit;
    fits.then(|| text.to_owned()).ok_or_else(|| field(name))
}

fn url(form: &Form, name: &str) -> Result<String, String> {
    let url = text(form, name, 400)?;
    let absolute = url.starts_with("https://") || url.starts_with("http://");
    (absolute && url.parse::<http::Uri>().is_ok()).then_some(url).ok_or_else(|| field(name))
}

fn flag(form: &Form, name: &str, optional: bool) -> Result<bool, String> {
    match form.text(name) {
        "1" => Ok(true),
        "0" => Ok(false),
        "" if optional => Ok(false),
        _ => Err(field(name)),
    }
}

fn payment_amount(text: &str) -> Result<i64, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|amount| digits && *amount > 0).ok_or_else(|| field("payment_amount"))
}

/// The buyer's external address; PayTR takes no private one.
fn user_ip(text: &str) -> Result<(), String> {
    let external = match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified())
        }
        Ok(IpAddr::V6(ip)) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unspecified()),
        Err(_) => false,
    };
    (external && text.len() <= 39).then_some(()).ok_or_else(|| field("user_ip"))
}

fn basket(encoded: &str) -> Result<Vec<BasketLine>, String> {
    let lines = STANDARD.decode(encoded).ok().and_then(|json| serde_json::from_slice(&json).ok());
    let priced = |line: &BasketLine| {
        line.1.split_once('.').is_some_and(|(whole, cents)| {
            whole.parse::<u64>().is_ok() && cents.len() == 2 && cents.parse::<u8>().is_ok()
        })
    };
    lines
        .filter(|lines: &Vec<BasketLine>| !lines.is_empty() && lines.iter().all(priced))
        .ok_or_else(|| field("user_basket"))
}

fn max_installments(form: &Form) -> Result<u8, String> {
    let max = match form.text("max_installment").parse() {
        Ok(0) => 12,
        Ok(max @ 2..=12) => max,
        _ => return Err(field("max_installment")),
    };
    Ok(if flag(form, "no_installment", false)? { 1 } else { max })
}

fn random_token() -> Result<String, String> {
    let mut random = [0; 32];
    SystemRandom::new().fill(&mut random).map_err(|_| "gecici hata".to_owned())?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A page that nobody finishes in time fails the payment, and that is notified too.
fn abandon_in_time(sandbox: &Sandbox, form: &Form, token: &str) {
    let minutes = form.text("timeout_limit").parse().ok().filter(|minutes| *minutes > 0).unwrap_or(30_u64);
    let millis = sandbox.behaviour().page_timeout_ms.unwrap_or(minutes.saturating_mul(60_000));
    let (task_sandbox, token) = (sandbox.clone(), token.to_owned());
    sandbox.spawn(async move {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        if let Some(Decision::Decided(behaviour)) = task_sandbox.decide(&token, 0, failure(ABANDONED)) {
            callbacks::notify(&task_sandbox, Notice::PayTr(token), *behaviour).await;
        }
    });
}
