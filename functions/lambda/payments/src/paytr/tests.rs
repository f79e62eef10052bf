//! The adapter against scripted answers: what goes out, and what each answer and each callback is taken for.

use std::sync::Arc;

use akademi_domain::money::{Currency, Money};
use http::HeaderMap;

use super::*;
use crate::provider::{
    Failure, FailureReason, HttpError, Installments, Notification, Outcome, PaymentRequest, Reference,
    scripted::{NOW, Scripted, now, payment},
};

fn config() -> PayTrConfig {
    PayTrConfig {
        merchant_id: "100200".to_owned(),
        merchant_key: Secret::new("demoMerchantKey1"),
        merchant_salt: Secret::new("demoMerchantSalt"),
        base_url: Uri::from_static("https://www.paytr.com"),
        test_mode: true,
        page_minutes: 30,
        private_buyer_address: None,
    }
}

fn adapter(answer: Result<(u16, &'static str), HttpError>) -> (PayTr, Arc<Scripted>) {
    let http = Scripted::new([answer]);
    (PayTr::new(config(), http.clone()).unwrap(), http)
}

fn refund_request() -> RefundRequest {
    RefundRequest {
        attempt: "ORD20260001".parse::<Reference>().unwrap().into(),
        amount: Money { amount: 4990, currency: Currency::TRY },
        reference: "R1".parse().unwrap(),
    }
}

#[test]
fn requests_carry_the_vectors_tokens_and_each_endpoints_notation() {
    let (paytr, http) = adapter(Ok((200, r#"{"status":"success","token":"abc123"}"#)));
    let checkout = now(paytr.begin(&payment())).unwrap();
    assert_eq!(checkout.page.to_string(), "https://www.paytr.com/odeme/guvenli/abc123");
    let sent: Vec<(String, String)> = serde_urlencoded::from_str(&http.last().body).unwrap();
    let field = |name: &str| sent.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    assert_eq!(field("paytr_token"), Some("iehJuHgw9LmDsZKJQnaIvcbU5NOxuRvWaPCAHxV90HE="));
    assert_eq!(field("payment_amount"), Some("14990"));
    assert_eq!(field("currency"), Some("TL"));
    assert_eq!(field("user_name"), Some("Şükrü Iğdır"));
    assert!(!sent.iter().any(|(_, value)| value.contains("demoMerchant")), "a secret is never sent");

    let refund = refund::form(&paytr, &refund_request()).unwrap();
    assert!(refund.contains(&("return_amount", "49.90".to_owned())));
    assert!(refund.contains(&("paytr_token", "UIXTjd0SudybX7b3FGy0VHrEB6X2Wwje0+hk3Fcdg8M=".to_owned())));
    let inquiry = inquiry::form(&paytr, &payment().attempt);
    assert!(inquiry.contains(&("paytr_token", "WMipRDT8BrlCqH9tbHIfAlyUI9d9AWs4lluvLPwAvpY=".to_owned())));
}

#[test]
fn what_paytr_would_refuse_is_not_sent() {
    let (paytr, http) = adapter(Ok((200, "{}")));
    let with = |change: fn(&mut PaymentRequest)| {
        let mut payment = payment();
        change(&mut payment);
        payment
    };
    for (field, payment) in [
        ("amount", with(|payment| payment.amount.amount = 0)),
        ("client_address", with(|payment| payment.buyer.client_address = [192, 168, 1, 4].into())),
        ("email", with(|payment| payment.buyer.email.clear())),
        ("phone", with(|payment| payment.buyer.phone = "5".repeat(21))),
        ("basket", with(|payment| payment.basket.clear())),
        ("installments", with(|payment| payment.installments = Installments::UpTo(13))),
    ] {
        match now(paytr.begin(&payment)) {
            Err(ProviderError::Invalid { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    assert!(http.sent().is_empty());
}

#[test]
fn an_answer_that_is_not_documented_leaves_the_outcome_unknown() {
    let another = r#"{"status":"success","merchant_oid":"ORD2","return_amount":"49.90"}"#;
    let other_amount = r#"{"status":"success","merchant_oid":"ORD20260001","return_amount":"4990"}"#;
    for answer in [
        Err(HttpError::NoAnswer("timed out".to_owned())),
        Ok((500, r#"{"status":"success","merchant_oid":"ORD20260001","return_amount":"49.90"}"#)),
        Ok((200, "<html>")),
        Ok((200, r#"{"status":"maybe"}"#)),
        Ok((200, another)),
        Ok((200, other_amount)),
    ] {
        let (paytr, _) = adapter(answer.clone());
        let error = now(paytr.refund(&refund_request())).unwrap_err();
        assert!(matches!(error, ProviderError::OutcomeUnknown(_)), "{answer:?}: {error:?}");
        assert!(!error.retryable());
    }
    let (paytr, _) = adapter(Ok((200, r#"{"status":"success","token":"../iade"}"#)));
    assert!(matches!(now(paytr.begin(&payment())), Err(ProviderError::OutcomeUnknown(_))));
}

#[test]
fn each_documented_refusal_has_its_reason() {
    for (err_no, reason) in [
        ("000", Refusal::Busy),
        ("001", Refusal::Configuration),
        ("004", Refusal::Configuration),
        ("005", Refusal::NotCaptured),
        ("007", Refusal::NotYetNotified),
        ("008", Refusal::NotRefundable),
        ("009", Refusal::ExceedsRemaining),
        ("010", Refusal::InsufficientBalance),
        ("011", Refusal::NotRefundable),
        ("077", Refusal::Other),
    ] {
        let answer = format!(r#"{{"status":"error","err_no":"{err_no}","err_msg":"x"}}"#);
        let (paytr, _) = adapter(Ok((200, answer.leak())));
        match now(paytr.refund(&refund_request())) {
            Err(ProviderError::Refused { reason: given, code, .. }) => {
                assert_eq!((given, code.as_str()), (reason, err_no));
            }
            other => panic!("{err_no}: {other:?}"),
        }
    }
    let (paytr, _) = adapter(Err(HttpError::NotSent("refused".to_owned())));
    assert!(now(paytr.refund(&refund_request())).unwrap_err().retryable());
}

const CAPTURED: &str = "merchant_oid=ORD20260001&status=success&total_amount=14990\
    &hash=ugMw%2FRuQUiLMswafQ0dvTQy9t17dx3GKVGBtnIN%2FvuY%3D\
    &payment_amount=14990&currency=TL&payment_type=card&test_mode=1&new_field=1";

fn verify(paytr: &PayTr, body: &[u8]) -> Result<Notification, CallbackRefused> {
    match paytr.verify_callback(&Callback { headers: &HeaderMap::new(), body, received_at: NOW })? {
        Told::Outcome(notification) => Ok(notification),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signed_callback_is_read_and_unknown_fields_are_passed_over() {
    let (paytr, _) = adapter(Ok((200, "")));
    let captured = verify(&paytr, CAPTURED.as_bytes()).unwrap();
    assert_eq!(captured.attempt.as_str(), "ORD20260001");
    assert_eq!(captured.outcome, Outcome::Captured);
    assert_eq!((captured.total_amount, captured.payment_amount), (14990, Some(14990)));
    assert_eq!((captured.currency, captured.test), (Some(Currency::TRY), true));

    let failed = "merchant_oid=ORD20260001&status=failed&total_amount=0\
        &hash=7hGhvnAvbYy5tNFQ4IYGT94jtZ0mcwj%2FR4mya1xCzZY%3D\
        &failed_reason_code=6&failed_reason_msg=M%C3%BC%C5%9Fteri+vazge%C3%A7ti";
    let failure = Failure {
        reason: FailureReason::Abandoned,
        code: "6".to_owned(),
        message: "Müşteri vazgeçti".to_owned(),
    };
    let failed = verify(&paytr, failed.as_bytes()).unwrap();
    assert_eq!((failed.outcome, failed.currency), (Outcome::Failed(failure), None));
}

#[test]
fn a_changed_callback_is_refused() {
    let (paytr, _) = adapter(Ok((200, "")));
    for (from, to) in [
        ("total_amount=14990", "total_amount=1"),
        ("total_amount=14990", "total_amount=014990"),
        ("status=success", "status=failed"),
        ("ORD20260001", "ORD20260002"),
        ("hash=ugMw", "hash=UgMw"),
    ] {
        let body = CAPTURED.replace(from, to);
        assert_eq!(verify(&paytr, body.as_bytes()), Err(CallbackRefused::WrongSignature), "{to}");
    }
    for (from, to, field) in [
        ("&hash=", "&hush=", "hash"),
        ("total_amount=14990", "total_amount=", "total_amount"),
        ("&new_field=1", "&status=failed", "status"),
        ("currency=TL", "currency=XYZ", "currency"),
        ("payment_amount=14990", "payment_amount=149.90", "payment_amount"),
    ] {
        let body = CAPTURED.replace(from, to);
        assert_eq!(verify(&paytr, body.as_bytes()), Err(CallbackRefused::Malformed(field)), "{to}");
    }
    for body in [&b""[..], b"\xff\xfe", b"{\"status\":\"success\"}"] {
        assert!(matches!(verify(&paytr, body), Err(CallbackRefused::Malformed(_))));
    }
}

#[test]
fn no_secret_is_in_any_debug_output() {
    let (paytr, _) = adapter(Ok((200, "")));
    let shown = format!("{:?} {:?}", config(), paytr);
    assert!(shown.contains("100200") && !shown.contains("demoMerchant"), "{shown}");
}

#[test]
fn a_configuration_without_a_part_is_refused_by_name() {
    let http = || Scripted::new([Ok((200, ""))]);
    for (field, config) in [
        ("merchant_id", PayTrConfig { merchant_id: String::new(), ..config() }),
        ("merchant_key", PayTrConfig { merchant_key: Secret::new(""), ..config() }),
        ("merchant_salt", PayTrConfig { merchant_salt: Secret::new(""), ..config() }),
        ("base_url", PayTrConfig { base_url: Uri::from_static("/odeme"), ..config() }),
        ("page_minutes", PayTrConfig { page_minutes: 0, ..config() }),
    ] {
        assert_eq!(PayTr::new(config, http()).unwrap_err(), InvalidConfig(field));
    }
}
