//! A form is made, and what became of it is asked by its token or by the academy's name (CF initialize, CF retrieve, payment
//! detail).

use serde_json::{Value, json};

use super::{
    Form, INVALID, NO_PAYMENT, Refused, minor_units, number, payment_number, plain,
    signature::{Call, of_answer},
};
use crate::providers::{Lie, Outcome, Provider, Providers};

pub(super) const INITIALIZE: &str = "/payment/iyzipos/checkoutform/initialize/auth/ecom";
pub(super) const BY_TOKEN: &str = "/payment/iyzipos/checkoutform/auth/ecom/detail";
pub(super) const BY_CONVERSATION: &str = "/payment/detail";
const CURRENCY: &str = "TRY";

pub(super) fn initialize(providers: &mut Providers, call: &Call) -> Result<Value, Refused> {
    let (conversation, asked) = (call.text("/conversationId"), minor_units(call.text("/price")));
    let asked = asked.filter(|asked| *asked > 0 && minor_units(call.text("/paidPrice")) == Some(*asked));
    let items = call.value("/basketItems").as_array().ok_or(INVALID)?;
    let price = |item: &Value| item["price"].as_str().and_then(minor_units).filter(|price| *price > 0);
    let items: Vec<i64> = items.iter().map(price).collect::<Option<_>>().ok_or(INVALID)?;
    if asked != Some(items.iter().sum()) || call.text("/basketId") != conversation {
        return Err((5062, "Kırılım fiyatları toplamı, toplam fiyata eşit olmalıdır"));
    }
    let return_path = call.text("/callbackUrl").splitn(4, '/').nth(3).ok_or(INVALID)?;
    let mut token = format!("form{}", providers.attempts.len());
    if providers.place(Provider::Iyzico, conversation).is_some() {
        // It makes another form, which nobody is shown.
        token += "-again";
    } else {
        let form = Form { token: token.clone(), items, return_path: format!("/{return_path}"), lie: None };
        providers.begin(Provider::Iyzico, conversation, asked.unwrap_or_default(), form);
    }
    Ok(json!({
        "conversationId": conversation,
        "token": token,
        "tokenExpireTime": 1800,
        "paymentPageUrl": format!("https://sandbox-cpp.iyzipay.com/?token={token}"),
        "signature": of_answer(&[conversation, &token]),
    }))
}

pub(super) fn by_token(providers: &mut Providers, call: &Call) -> Result<Value, Refused> {
    let token = call.text("/token");
    let is_it = |provider, form: &Form| provider == Provider::Iyzico && form.token == token;
    let place = providers.attempts.iter().position(|attempt| is_it(attempt.provider, &attempt.form));
    detail(providers, place.ok_or(NO_PAYMENT)?, call, true)
}

pub(super) fn by_conversation(providers: &mut Providers, call: &Call) -> Result<Value, Refused> {
    let place = providers.place(Provider::Iyzico, call.text("/paymentConversationId")).ok_or(NO_PAYMENT)?;
    let attempt = &providers.attempts[place];
    if attempt.outcome.is_none() && attempt.form.lie.is_none() {
        return Err(NO_PAYMENT);
    }
    detail(providers, place, call, false)
}

fn detail(providers: &mut Providers, place: usize, call: &Call, is_form: bool) -> Result<Value, Refused> {
    let hides_reviews = providers.hides_reviews;
    let attempt = &mut providers.attempts[place];
    let lie = attempt.form.lie.take();
    let asked = attempt.asked - i64::from(lie == Some(Lie::Less));
    let (status, total, fraud_status) = match (lie, attempt.outcome) {
        (Some(_), _) => ("SUCCESS", asked, json!(1)),
        (None, None) => ("INIT_CREDIT", asked, Value::Null),
        (None, Some(Outcome::Paid { total })) => ("SUCCESS", total, json!(1)),
        (None, Some(Outcome::InReview { total })) => ("SUCCESS", total, json!(i8::from(hides_reviews))),
        (None, Some(Outcome::Fraud { total })) => ("SUCCESS", total, json!(-1)),
        (None, Some(Outcome::Declined)) => ("FAILURE", asked, Value::Null),
    };
    let (id, conversation) = (payment_number(place).to_string(), call.text("/conversationId"));
    let (paid, price) = (plain(total), plain(asked));
    let mut values = vec![id.as_str(), CURRENCY, &attempt.reference, conversation, &paid, &price];
    if is_form {
        values.insert(0, status);
        values.push(&attempt.form.token);
    }
    let mut signature = of_answer(&values);
    if lie == Some(Lie::Forged) {
        signature = "0".repeat(signature.len());
    }
    let mut fields = json!({
        "paymentStatus": status,
        "paymentId": id,
        "price": number(asked),
        "paidPrice": number(total),
        "currency": CURRENCY,
        "basketId": attempt.reference,
        "conversationId": conversation,
        "fraudStatus": fraud_status,
        "signature": signature,
    });
    if is_form {
        fields["token"] = json!(attempt.form.token);
    }
    if status == "FAILURE" {
        fields["errorCode"] = json!("10051");
        fields["errorMessage"] = json!("Kart limiti yetersiz, yetersiz bakiye");
    }
    Ok(fields)
}
