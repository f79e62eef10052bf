//! `/iyzico/{token}`: the page on which the buyer pays, and the bank's page that asks for the code of 3-D Secure.

use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};

use super::payment::{self, DECLINES, NOT_AUTHENTICATED, Payment};
use crate::{
    callbacks::{self, Notice},
    form::Form,
    html::{document, escaped, invalid, unknown},
    sandbox::Sandbox,
};

/// The code that iyzico's own test system takes.
const CODE: &str = "123456";

pub(crate) async fn show(State(sandbox): State<Sandbox>, Path(token): Path<String>) -> Response {
    match sandbox.iyzico.payment(&token) {
        None => unknown(),
        Some(payment) if payment.is_decided() => back(&payment),
        Some(payment) => document("Güvenli ödeme", &payment_form(&payment)),
    }
}

/// `sonuc` is `ode`, `3ds`, `incele` (paid, but looked at for fraud), `supheli` (paid, and found a fraud) or `reddet`; with
/// `reddet` goes `neden`, an `errorCode`, with the others `taksit`. Pressing a button again only leads back.
pub(crate) async fn decide(
    State(sandbox): State<Sandbox>,
    Path(token): Path<String>,
    form: Form,
) -> Response {
    let Some(payment) = sandbox.iyzico.payment(&token) else { return unknown() };
    if payment.is_decided() {
        return back(&payment);
    }
    let installments = match form.text("taksit").parse() {
        Ok(count) if payment.installments.contains(&count) => count,
        _ if matches!(form.text("taksit"), "" | "1") => 1,
        _ => return invalid(),
    };
    let paid = |fraud_status| payment::State::Paid {
        at: sandbox.now(),
        paid_price: payment.total_with_interest(installments),
        installments,
        fraud_status,
    };
    let state = match form.text("sonuc") {
        "ode" => paid(1),
        "incele" => paid(0),
        "supheli" => paid(-1),
        "3ds" => payment::State::Authenticating { installments },
        "reddet" => match decline(form.text("neden")) {
            Some((code, message)) => payment::State::Failed { code, message },
            None => return invalid(),
        },
        _ => return invalid(),
    };
    settle(&sandbox, &token, state).await
}

fn decline(code: &str) -> Option<(u32, &'static str)> {
    let code: u32 = code.parse().ok()?;
    DECLINES.into_iter().find(|(known, _)| *known == code)
}

pub(crate) async fn show_code(State(sandbox): State<Sandbox>, Path(token): Path<String>) -> Response {
    match sandbox.iyzico.payment(&token) {
        None => unknown(),
        Some(payment) if payment.is_decided() => back(&payment),
        Some(_) => document(
            "3-D Secure",
            "<h1>3-D Secure</h1><p>Telefonunuza gelen kodu girin (deneme kodu: 123456).</p>\
             <form method=\"post\"><p><label>Kod <input name=\"kod\" inputmode=\"numeric\"></label> \
             <button>Onayla</button></p></form>",
        ),
    }
}

/// The right code pays; any other is the end of the attempt.
pub(crate) async fn enter_code(
    State(sandbox): State<Sandbox>,
    Path(token): Path<String>,
    form: Form,
) -> Response {
    let Some(payment) = sandbox.iyzico.payment(&token) else { return unknown() };
    let payment::State::Authenticating { installments } = payment.state else { return back(&payment) };
    let state = if form.text("kod") == CODE {
        let paid_price = payment.total_with_interest(installments);
        payment::State::Paid { at: sandbox.now(), paid_price, installments, fraud_status: 1 }
    } else {
        let (code, message) = NOT_AUTHENTICATED;
        payment::State::Failed { code, message }
    };
    settle(&sandbox, &token, state).await
}

/// Decides a payment unless it is decided, has its merchant told, and answers the browser.
async fn settle(sandbox: &Sandbox, token: &str, state: payment::State) -> Response {
    let behaviour = sandbox.behaviour();
    let changed = sandbox.iyzico.change(
        |payment| payment.token == token && !payment.is_decided(),
        |payment| {
            payment.state = state;
            payment.is_decided()
        },
    );
    match changed {
        Some(true) => callbacks::notify(sandbox, Notice::Iyzico(token.to_owned()), behaviour).await,
        Some(false) => {
            let bank = format!("/iyzico/{token}/3ds");
            return (StatusCode::SEE_OTHER, [(header::LOCATION, bank)]).into_response();
        }
        // Another request has decided it.
        None => {}
    }
    sandbox.iyzico.payment(token).map_or_else(unknown, |payment| back(&payment))
}

/// Has the browser POST the token to the merchant: by itself where scripts run, by a button where they do not.
fn back(payment: &Payment) -> Response {
    let form = format!(
        "<form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
         <p><button>Siteye dön</button></p></form><script>document.forms[0].submit()</script>",
        escaped(&payment.callback_url),
        escaped(&payment.token),
    );
    document("Ödeme tamamlandı", &form)
}

fn payment_form(payment: &Payment) -> String {
    let price = |minor: i64| format!("{},{:02} {}", minor / 100, minor % 100, escaped(&payment.currency));
    let lines: String = payment
        .items
        .iter()
        .map(|item| format!("<tr><td>{}</td><td>{}</td></tr>", escaped(&item.name), price(item.price)))
        .collect();
    let installments: String = payment
        .installments
        .iter()
        .map(|count| {
            let total = price(payment.total_with_interest(*count));
            format!("<option value=\"{count}\">{count} taksit, toplam {total}</option>")
        })
        .collect();
    let reasons: String = DECLINES
        .iter()
        .map(|(code, message)| format!("<option value=\"{code}\">{}</option>", escaped(message)))
        .collect();
    format!(
        "<h1>Güvenli ödeme</h1>\
         <p>Bu bir deneme sayfasıdır: kart bilgisi istenmez, para çekilmez.</p>\
         <table><thead><tr><th>Ürün</th><th>Fiyat</th></tr></thead><tbody>{lines}</tbody></table>\
         <p>Ödenecek tutar: <strong>{total}</strong></p>\
         <form method=\"post\">\
         <p><label>Ödeme şekli <select name=\"taksit\"><option value=\"1\">Tek çekim</option>{installments}\
         </select></label></p>\
         <p><button name=\"sonuc\" value=\"ode\">Öde</button> \
         <button name=\"sonuc\" value=\"3ds\">3-D Secure ile öde</button> \
         <button name=\"sonuc\" value=\"incele\">Öde, incelemeye düş</button> \
         <button name=\"sonuc\" value=\"supheli\">Öde, şüpheli bulun</button></p>\
         <p><label>Ret nedeni <select name=\"neden\">{reasons}</select></label> \
         <button name=\"sonuc\" value=\"reddet\">Reddet</button></p></form>",
        total = price(payment.price),
    )
}
