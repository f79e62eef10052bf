//! `/odeme/guvenli/{token}`: the page on which the buyer pays. A plain form, in Turkish, without scripts.

use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};

use super::payment::{FAILURES, Payment, failure};
use crate::{
    callbacks::{self, Notice},
    form::Form,
    html::{document, escaped, invalid, unknown},
    sandbox::{Decision, Sandbox},
};

pub(crate) async fn show(State(sandbox): State<Sandbox>, Path(token): Path<String>) -> Response {
    match sandbox.payment(&token) {
        None => unknown(),
        Some(payment) if payment.outcome.is_some() => back(&payment),
        Some(payment) => document("Güvenli ödeme", &payment_form(&payment)),
    }
}

/// `sonuc` is `ode` or `reddet`; with `ode` goes `taksit`, with `reddet` goes `neden`, a `failed_reason_code`.
/// Pressing a button again only leads back.
pub(crate) async fn decide(
    State(sandbox): State<Sandbox>,
    Path(token): Path<String>,
    form: Form,
) -> Response {
    let Some(payment) = sandbox.payment(&token) else { return unknown() };
    let (installments, failure) = match form.text("sonuc") {
        "ode" => (form.text("taksit").parse::<u8>().unwrap_or(0), None),
        "reddet" => match form.text("neden").parse().ok().and_then(failure) {
            Some(failure) => (0, Some(failure)),
            None => return invalid(),
        },
        _ => return invalid(),
    };
    if installments == 1 || installments > payment.max_installments {
        return invalid();
    }
    if let Some(Decision::Decided(behaviour)) = sandbox.decide(&token, installments, failure) {
        callbacks::notify(&sandbox, Notice::PayTr(token.clone()), *behaviour).await;
    }
    sandbox.payment(&token).map_or_else(unknown, |payment| back(&payment))
}

fn back(payment: &Payment) -> Response {
    let url = if payment.captured().is_some() { &payment.ok_url } else { &payment.fail_url };
    (StatusCode::SEE_OTHER, [(header::LOCATION, url.as_str()), (header::CACHE_CONTROL, "no-store")])
        .into_response()
}

fn payment_form(payment: &Payment) -> String {
    let lines: String = payment
        .basket
        .iter()
        .map(|line| {
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(&line.0),
                line.2,
                escaped(&line.1.replace('.', ","))
            )
        })
        .collect();
    let installments: String = (2..=payment.max_installments)
        .map(|count| {
            let total = payment.price(payment.total_with_interest(count));
            format!("<option value=\"{count}\">{count} taksit, toplam {}</option>", escaped(&total))
        })
        .collect();
    let reasons: String = FAILURES
        .iter()
        .map(|failure| format!("<option value=\"{}\">{}</option>", failure.code, escaped(failure.message)))
        .collect();
    let price = escaped(&payment.price(payment.payment_amount));
    // The page may stand in a frame: the merchant's page afterwards must not.
    format!(
        "<h1>Güvenli ödeme</h1>\
         <p>Bu bir deneme sayfasıdır: kart bilgisi istenmez, para çekilmez.</p>\
         <table><thead><tr><th>Ürün</th><th>Adet</th><th>Birim fiyat</th></tr></thead>\
         <tbody>{lines}</tbody></table>\
         <p>Sipariş no: {oid}<br>Ödenecek tutar: <strong>{price}</strong></p>\
         <form method=\"post\" target=\"_top\">\
         <p><label>Ödeme şekli <select name=\"taksit\"><option value=\"0\">Tek çekim</option>{installments}\
         </select></label></p>\
         <p><button name=\"sonuc\" value=\"ode\">Öde</button></p>\
         <p><label>Ret nedeni <select name=\"neden\">{reasons}</select></label> \
         <button name=\"sonuc\" value=\"reddet\">Reddet</button></p></form>",
        oid = escaped(&payment.merchant_oid),
    )
}
