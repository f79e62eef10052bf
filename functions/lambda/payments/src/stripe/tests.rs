//! The adapter against scripted answers: what goes out, and what each answer and each event is taken for.

use akademi_domain::money::{Currency, Money};
use http::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::provider::{
    FailureReason, HttpError, Outcome, RefundSeen,
    scripted::{NOW, Scripted, now, payment},
};

const WEBHOOK: &str = "whsec_test_secret";

fn config() -> StripeConfig {
    StripeConfig {
        secret_key: Secret::new("sk_test_demo"),
        webhook_secret: Secret::new(WEBHOOK),
        previous_webhook_secret: None,
        base_url: Uri::from_static("https://api.stripe.com"),
    }
}

fn adapter(answers: impl IntoIterator<Item = (u16, Value)>) -> (Stripe, Arc<Scripted>) {
    raw(answers.into_iter().map(|(status, answer)| Ok((status, answer.to_string()))))
}

fn raw(answers: impl IntoIterator<Item = Result<(u16, String), HttpError>>) -> (Stripe, Arc<Scripted>) {
    let http = Scripted::new(answers);
    (Stripe::new(config(), http.clone()).unwrap(), http)
}

fn begun() -> BegunAttempt {
    BegunAttempt { reference: payment().attempt, provider_reference: Some("cs_test_1".to_owned()) }
}

fn session(payment_status: &str) -> Value {
    json!({
        "id": "cs_test_1", "object": "checkout.session", "url": "https://checkout.stripe.com/c/pay/cs_test_1",
        "client_reference_id": "ORD20260001", "status": "complete", "payment_status": payment_status,
        "payment_intent": "pi_1", "amount_total": 14990, "currency": "try", "livemode": false,
    })
}

fn refund(amount: i64) -> RefundRequest {
    let amount = Money { amount, currency: Currency::TRY };
    RefundRequest { attempt: begun(), amount, reference: "R1".parse().unwrap() }
}

#[test]
fn a_session_is_asked_for_once_whatever_is_repeated() {
    let (stripe, http) = adapter([(200, session("unpaid"))]);
    let checkout = now(stripe.begin(&payment())).unwrap();
    assert_eq!(checkout.page.to_string(), "https://checkout.stripe.com/c/pay/cs_test_1");
    assert_eq!(checkout.provider_reference.as_deref(), Some("cs_test_1"));
    let sent = http.last();
    assert_eq!(sent.line, "POST https://api.stripe.com/v1/checkout/sessions");
    assert_eq!(sent.headers["idempotency-key"], "ORD20260001");
    assert_eq!(sent.headers["authorization"], "Bearer sk_test_demo");
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(&sent.body).unwrap();
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    assert_eq!(field("client_reference_id"), Some("ORD20260001"));
    assert_eq!(field("line_items[0][price_data][unit_amount]"), Some("14990"));
    assert_eq!(field("line_items[0][price_data][currency]"), Some("try"));
    assert_eq!(field("line_items[0][price_data][product_data][name]"), Some("Rust Kursu"));
    assert_eq!(field("line_items[0][quantity]"), Some("1"));

    let mut wrong = payment();
    wrong.basket[0].quantity = 2;
    assert!(matches!(stripe.check(&wrong), Err(ProviderError::Invalid { field: "basket", .. })));
}

#[test]
fn only_a_paid_session_is_captured() {
    let refunds = json!({"data": [
        {"amount": 500, "status": "succeeded", "metadata": {"reference": "R1"}},
        {"amount": 300, "status": "pending", "metadata": {}},
        {"amount": 200, "status": "failed", "metadata": {"reference": "R3"}},
    ], "has_more": false});
    let (stripe, http) = adapter([(200, session("paid")), (200, refunds)]);
    let Ok(Inquiry::Captured(captured)) = now(stripe.inquire(&begun())) else { panic!("not captured") };
    assert_eq!((captured.amount.amount, captured.total_amount, captured.test), (14990, 14990, true));
    assert_eq!(
        captured.refunds,
        [
            RefundSeen { amount: 500, reference: Some("R1".to_owned()) },
            RefundSeen { amount: 300, reference: None }
        ]
    );
    assert_eq!(http.last().line, "GET https://api.stripe.com/v1/refunds?payment_intent=pi_1&limit=100");

    let (stripe, _) = adapter([(200, session("unpaid"))]);
    assert_eq!(now(stripe.inquire(&begun())), Ok(Inquiry::NotCaptured));
    let mut expired = session("unpaid");
    expired["status"] = "expired".into();
    let (stripe, _) = adapter([(200, expired)]);
    assert!(matches!(now(stripe.inquire(&begun())), Ok(Inquiry::Failed(_))));
    let mut another = session("paid");
    another["client_reference_id"] = "ORD2".into();
    let (stripe, _) = adapter([(200, another)]);
    assert!(matches!(now(stripe.inquire(&begun())), Err(ProviderError::OutcomeUnknown(_))));
    assert_eq!(now(stripe.inquire(&BegunAttempt::from(payment().attempt))), Ok(Inquiry::NotCaptured));
}

#[test]
fn a_refund_carries_its_reference_twice_and_must_be_this_one() {
    let done = |amount: i64| json!({"amount": amount, "payment_intent": "pi_1", "status": "succeeded"});
    let (stripe, http) = adapter([(200, session("paid")), (200, done(4990))]);
    assert_eq!(now(stripe.refund(&refund(4990))), Ok(()));
    let sent = http.last();
    assert_eq!(sent.headers["idempotency-key"], "R1");
    assert_eq!(sent.body, "payment_intent=pi_1&amount=4990&metadata%5Breference%5D=R1");
    for answer in [(200, done(1)), (500, done(4990)), (200, json!({}))] {
        let (stripe, _) = adapter([(200, session("paid")), answer]);
        assert!(matches!(now(stripe.refund(&refund(4990))), Err(ProviderError::OutcomeUnknown(_))));
    }
    for (status, code, reason) in [
        (401, "api_key_expired", Refusal::Configuration),
        (400, "charge_already_refunded", Refusal::ExceedsRemaining),
        (409, "idempotency_key_in_use", Refusal::Busy),
        (400, "parameter_invalid", Refusal::Other),
    ] {
        let (stripe, _) =
            adapter([(200, session("paid")), (status, json!({"error": {"code": code, "message": "x"}}))]);
        match now(stripe.refund(&refund(4990))) {
            Err(ProviderError::Refused { reason: given, code: named, .. }) => {
                assert_eq!((given, named.as_str()), (reason, code));
            }
            other => panic!("{code}: {other:?}"),
        }
    }
    let (stripe, _) = raw([Err(HttpError::NoAnswer("timed out".to_owned()))]);
    assert!(
        now(stripe.refund(&refund(4990))).unwrap_err().retryable(),
        "nothing was asked to be given back yet"
    );
}

fn told(event: &Value) -> Result<Told, CallbackRefused> {
    let (stripe, _) = adapter([(200, json!({}))]);
    let body = event.to_string();
    let seconds = (NOW.as_millis() / 1000).to_string();
    let key = KeyedHash::new(&Secret::new(WEBHOOK)).unwrap();
    let signature = key.hex(&[seconds.as_bytes(), b".", body.as_bytes()]);
    let name = HeaderName::from_static("stripe-signature");
    let headers = HeaderMap::from_iter([(name, format!("t={seconds},v1={signature}").parse().unwrap())]);
    stripe.verify_callback(&Callback { headers: &headers, body: body.as_bytes(), received_at: NOW })
}

#[test]
fn an_event_proves_the_outcome_that_it_tells() {
    let event = |kind: &str, object: Value| json!({"id": "evt_1", "type": kind, "data": {"object": object}});
    let Ok(Told::Outcome(paid)) = told(&event("checkout.session.completed", session("paid"))) else {
        panic!("nothing told")
    };
    assert_eq!((&paid.attempt, &paid.outcome), (&payment().attempt, &Outcome::Captured));
    assert_eq!((paid.total_amount, paid.currency, paid.test), (14990, Some(Currency::TRY), true));
    for (kind, reason) in [
        ("checkout.session.expired", FailureReason::Abandoned),
        ("checkout.session.async_payment_failed", FailureReason::Transfer),
    ] {
        let Ok(Told::Outcome(notification)) = told(&event(kind, session("unpaid"))) else { panic!("{kind}") };
        let Outcome::Failed(failure) = notification.outcome else { panic!("{kind}") };
        assert_eq!(failure.reason, reason);
    }
    let mut foreign = session("paid");
    foreign["client_reference_id"] = Value::Null;
    for nothing in [
        event("checkout.session.completed", session("unpaid")),
        event("checkout.session.completed", foreign),
        event("payment_intent.succeeded", json!({})),
    ] {
        assert_eq!(told(&nothing), Ok(Told::Nothing), "{nothing}");
    }
    let mut other_currency = session("paid");
    other_currency["currency"] = "xyz".into();
    assert_eq!(
        told(&event("checkout.session.completed", other_currency)),
        Err(CallbackRefused::Malformed("amount_total"))
    );
}

#[test]
fn no_secret_is_in_any_debug_output() {
    let (stripe, _) = adapter([(200, json!({}))]);
    let shown = format!("{:?} {:?}", config(), stripe);
    assert!(
        shown.contains("api.stripe.com") && !shown.contains("sk_test") && !shown.contains("whsec"),
        "{shown}"
    );
}

#[test]
fn a_configuration_without_a_part_is_refused_by_name() {
    let empty = || Some(PreviousSecret(Secret::new("")));
    for (field, config) in [
        ("secret_key", StripeConfig { secret_key: Secret::new(""), ..config() }),
        ("webhook_secret", StripeConfig { webhook_secret: Secret::new(""), ..config() }),
        ("webhook_secret", StripeConfig { previous_webhook_secret: empty(), ..config() }),
        ("base_url", StripeConfig { base_url: Uri::from_static("/x"), ..config() }),
    ] {
        assert_eq!(Stripe::new(config, Scripted::new([Ok((200, ""))])).unwrap_err(), InvalidConfig(field));
    }
}
