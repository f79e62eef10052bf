//! The adapter against scripted answers: what goes out, and what each answer and each webhook is taken for.

use akademi_domain::money::{Currency, Money};
use http::{HeaderMap, HeaderName};
use serde_json::{Value, json};

use super::*;
use crate::keyed_hash::KeyedHash;
use crate::provider::{
    BilledTo, FailureReason, HttpError, Installments, PaymentRequest, Reference, RefundSeen, Refusal,
    scripted::{NOW, Scripted, now, payment},
};

const SECRET: &str = "sandbox-demoSecretKey0001";
const TOKEN: &str = "3f0d1c6e-demo-token";

struct Sevens;

impl Rng for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn config() -> IyzicoConfig {
    IyzicoConfig {
        api_key: "sandbox-demoApiKey0001".to_owned(),
        secret_key: Secret::new(SECRET),
        base_url: Uri::from_static("https://sandbox-api.iyzipay.com"),
        buyer_city: "İstanbul".to_owned(),
    }
}

fn adapter(answers: impl IntoIterator<Item = Value>) -> (Iyzico, Arc<Scripted>) {
    raw(answers.into_iter().map(|answer| Ok((200, answer.to_string()))))
}

fn raw(answers: impl IntoIterator<Item = Result<(u16, String), HttpError>>) -> (Iyzico, Arc<Scripted>) {
    let http = Scripted::new(answers);
    (Iyzico::new(config(), http.clone(), Arc::new(Sevens)).unwrap(), http)
}

/// As iyzico signs its answers.
fn signed(mut answer: Value, values: &[&str]) -> Value {
    let key = KeyedHash::new(&Secret::new(SECRET)).unwrap();
    answer["signature"] = key.hex(&[values.join(":").as_bytes()]).into();
    answer
}

fn begun() -> BegunAttempt {
    let reference: Reference = payment().attempt;
    BegunAttempt { reference, provider_reference: Some(TOKEN.to_owned()) }
}

fn refund(amount: i64) -> RefundRequest {
    let amount = Money { amount, currency: Currency::TRY };
    RefundRequest { attempt: begun(), amount, reference: "R1".parse().unwrap() }
}

fn initialized(token: &str) -> Value {
    signed(
        json!({
            "status": "success", "conversationId": "ORD20260001", "token": token, "tokenExpireTime": "1800",
            "systemTime": 1_790_000_000_000_i64,
            "paymentPageUrl": format!("https://sandbox-cpp.iyzipay.com?token={token}&lang=tr"),
        }),
        &["ORD20260001", token],
    )
}

/// Retrieve's answer, with ids and prices in the notations that iyzico mixes.
fn retrieved(payment_status: &str, fraud_status: Value) -> Value {
    signed(
        json!({
            "status": "success", "paymentStatus": payment_status, "paymentId": 22_483_975, "currency": "TRY",
            "basketId": "ORD20260001", "conversationId": "ORD20260001", "paidPrice": 155.40, "price": "149.90000000",
            "token": TOKEN, "fraudStatus": fraud_status, "errorCode": "10051", "errorMessage": "Yetersiz bakiye",
        }),
        &[payment_status, "22483975", "TRY", "ORD20260001", "ORD20260001", "155.4", "149.9", TOKEN],
    )
}

fn report(refunds: Value, cancels: Value) -> Value {
    json!({
        "status": "success",
        "payments": [{ "paymentId": 22_483_975, "cancels": cancels, "itemTransactions": [{ "refunds": refunds }] }],
    })
}

#[test]
fn initialize_sends_signed_bytes_and_keeps_the_token() {
    let (iyzico, http) = adapter([initialized(TOKEN)]);
    let checkout = now(iyzico.begin(&payment())).unwrap();
    assert_eq!(checkout.page.host(), Some("sandbox-cpp.iyzipay.com"));
    assert_eq!(checkout.provider_reference.as_deref(), Some(TOKEN));
    let sent = http.last();
    let path = "/payment/iyzipos/checkoutform/initialize/auth/ecom";
    assert_eq!(sent.line, format!("POST https://sandbox-api.iyzipay.com{path}"));
    let random = "07".repeat(16);
    assert_eq!(sent.headers["x-iyzi-rnd"], random.as_str());
    let expected = iyzico.signer.authorization(&random, path, sent.body.as_bytes());
    assert_eq!(sent.headers["authorization"], expected.as_str());
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(
        (&body["price"], &body["paidPrice"], &body["currency"]),
        (&json!("149.9"), &json!("149.9"), &json!("TRY"))
    );
    assert_eq!((&body["conversationId"], &body["basketId"]), (&json!("ORD20260001"), &json!("ORD20260001")));
    assert_eq!(body["callbackUrl"], "https://umraniye.example.com/odeme/donus");
    assert_eq!((&body["buyer"]["name"], &body["buyer"]["surname"]), (&json!("Şükrü"), &json!("Iğdır")));
    assert_eq!(body["basketItems"][0]["price"], "149.9");
    assert!(body.get("enabledInstallments").is_none());
    assert!(!sent.body.contains("demoSecret") && !sent.body.contains("demoApiKey"));
}

#[test]
fn a_buyer_who_is_billed_elsewhere_is_sent_with_that_address_and_their_own_number() {
    let (iyzico, http) = adapter([initialized(TOKEN), initialized(TOKEN)]);
    now(iyzico.begin(&payment())).unwrap();
    let plain: Value = serde_json::from_str(&http.last().body).unwrap();
    assert_eq!(plain["buyer"]["identityNumber"], "11111111111", "what stands for none");
    assert_eq!((&plain["buyer"]["city"], &plain["buyer"]["country"]), (&json!("İstanbul"), &json!("Turkey")));
    assert_eq!(plain["billingAddress"]["contactName"], "Şükrü Iğdır");
    assert!(plain["billingAddress"].get("zipCode").is_none());

    let mut billed = payment();
    billed.buyer.identity_number = Some("10000000146".parse().unwrap());
    billed.buyer.billed_to = Some(BilledTo {
        name: "Örnek Yazılım Ltd. Şti.".to_owned(),
        address: "Tunalı Hilmi Cd. 1, Çankaya".to_owned(),
        city: "Ankara".to_owned(),
        country: "Türkiye".to_owned(),
        postal_code: Some("06680".to_owned()),
    });
    now(iyzico.begin(&billed)).unwrap();
    let sent: Value = serde_json::from_str(&http.last().body).unwrap();
    let address = json!({ "contactName": "Örnek Yazılım Ltd. Şti.", "city": "Ankara", "country": "Türkiye",
                          "address": "Tunalı Hilmi Cd. 1, Çankaya", "zipCode": "06680" });
    assert_eq!(sent["billingAddress"], address);
    let buyer = &sent["buyer"];
    assert_eq!((&buyer["identityNumber"], &buyer["city"]), (&json!("10000000146"), &json!("Ankara")));
    assert_eq!((&buyer["name"], &buyer["surname"]), (&json!("Şükrü"), &json!("Iğdır")));
    assert_eq!(buyer["registrationAddress"], plain["buyer"]["registrationAddress"]);
}

#[test]
fn what_iyzico_would_refuse_is_not_sent() {
    let (iyzico, http) = adapter([initialized(TOKEN)]);
    let with = |change: fn(&mut PaymentRequest)| {
        let mut payment = payment();
        change(&mut payment);
        payment
    };
    for (field, payment) in [
        ("amount", with(|payment| payment.amount.amount = 0)),
        ("email", with(|payment| payment.buyer.email.clear())),
        ("phone", with(|payment| payment.buyer.phone = " ".to_owned())),
        ("basket", with(|payment| payment.basket.clear())),
        ("basket", with(|payment| payment.basket[0].quantity = 2)),
        ("basket", with(|payment| payment.basket[0].unit_price = i64::MAX)),
        ("installments", with(|payment| payment.installments = Installments::UpTo(1))),
    ] {
        match now(iyzico.begin(&payment)) {
            Err(ProviderError::Invalid { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    assert!(http.sent().is_empty());
    let up_to = with(|payment| payment.installments = Installments::UpTo(6));
    now(iyzico.begin(&up_to)).unwrap();
    let body: Value = serde_json::from_str(&http.last().body).unwrap();
    assert_eq!(body["enabledInstallments"], json!([1, 2, 3, 6]));
}

#[test]
fn an_initialize_that_iyzico_did_not_sign_gives_no_page() {
    let mut forged = initialized(TOKEN);
    forged["token"] = "another".into();
    let mut of_another = initialized(TOKEN);
    of_another["conversationId"] = "ORD2".into();
    for answer in [forged, signed(of_another, &["ORD2", TOKEN])] {
        let (iyzico, _) = adapter([answer]);
        assert!(matches!(now(iyzico.begin(&payment())), Err(ProviderError::OutcomeUnknown(_))));
    }
}

#[test]
fn only_a_signed_success_without_objection_is_paid() {
    let (iyzico, http) = adapter([retrieved("SUCCESS", json!(1)), report(json!([]), json!([]))]);
    let Inquiry::Captured(captured) = now(iyzico.inquire(&begun())).unwrap() else { panic!("not captured") };
    assert_eq!(captured.amount, Money { amount: 14990, currency: Currency::TRY });
    assert_eq!((captured.total_amount, captured.test), (15540, true));
    assert_eq!(captured.refunds, []);
    let report_line =
        "GET https://sandbox-api.iyzipay.com/v2/reporting/payment/details?paymentConversationId=ORD20260001";
    assert_eq!(http.last().line, report_line);

    for (status, fraud) in
        [("SUCCESS", json!(0)), ("INIT_THREEDS", json!(1)), ("CALLBACK_THREEDS", json!(null))]
    {
        let (iyzico, _) = adapter([retrieved(status, fraud)]);
        assert_eq!(now(iyzico.inquire(&begun())), Ok(Inquiry::NotCaptured), "{status}");
    }
    for (status, fraud, reason) in
        [("SUCCESS", json!("-1"), FailureReason::Security), ("FAILURE", json!(1), FailureReason::Bank)]
    {
        let (iyzico, _) = adapter([retrieved(status, fraud)]);
        let Ok(Inquiry::Failed(failure)) = now(iyzico.inquire(&begun())) else { panic!("{status}") };
        assert_eq!(failure.reason, reason, "{status}");
    }
}

#[test]
fn an_answer_that_was_changed_proves_nothing() {
    for (field, value) in [
        ("paymentStatus", json!("SUCCESS")),
        ("paidPrice", json!("1.0")),
        ("price", json!("1.0")),
        ("currency", json!("USD")),
        ("basketId", json!("ORD2")),
        ("signature", json!("")),
        ("signature", json!(null)),
    ] {
        let mut answer = retrieved("FAILURE", json!(1));
        answer[field] = value;
        let (iyzico, _) = adapter([answer]);
        assert!(now(iyzico.inquire(&begun())).is_err(), "{field}");
    }
    // Signed, but for somebody else's payment.
    let (iyzico, _) = adapter([retrieved("SUCCESS", json!(1))]);
    let other = BegunAttempt { reference: "ORD2".parse().unwrap(), ..begun() };
    assert!(matches!(now(iyzico.inquire(&other)), Err(ProviderError::OutcomeUnknown(_))));
}

#[test]
fn an_attempt_whose_token_was_lost_is_found_by_its_reference() {
    let answer = signed(
        json!({
            "status": "success", "paymentStatus": "SUCCESS", "paymentId": "22483975", "currency": "TRY",
            "basketId": "ORD20260001", "conversationId": "ORD20260001", "paidPrice": 149.9, "price": 149.9,
            "fraudStatus": 1,
        }),
        &["22483975", "TRY", "ORD20260001", "ORD20260001", "149.9", "149.9"],
    );
    let (iyzico, http) = adapter([answer, report(json!([]), json!(null))]);
    let lost = BegunAttempt::from(payment().attempt);
    assert!(matches!(now(iyzico.inquire(&lost)), Ok(Inquiry::Captured(_))));
    let question: Value = serde_json::from_str(&http.sent()[0].body).unwrap();
    assert!(http.sent()[0].line.ends_with("/payment/detail"));
    assert_eq!(question["paymentConversationId"], "ORD20260001");
    let (iyzico, _) = adapter([json!({"status": "failure", "errorCode": 5011, "errorMessage": "yok"})]);
    assert_eq!(now(iyzico.inquire(&lost)), Ok(Inquiry::NotCaptured));
}

#[test]
fn refunds_are_gathered_over_items_and_cancellations() {
    let row = |reference: &str, price: f64, status: i32| json!({"refundConversationId": reference, "refundPrice": price, "currencyCode": "TRY", "refundStatus": status});
    let refunds = json!([row("R1", 10.5, 1), row("R2", 5.0, 0), row("R3", 7.0, -1), row("R1", 1.25, 1)]);
    let cancels = json!([{"cancelConversationId": "C1", "refundPrice": "2", "refundStatus": 1}]);
    let (iyzico, _) = adapter([retrieved("SUCCESS", json!(1)), report(refunds, cancels)]);
    let Ok(Inquiry::Captured(captured)) = now(iyzico.inquire(&begun())) else { panic!("not captured") };
    let seen = |amount, reference: &str| RefundSeen { amount, reference: Some(reference.to_owned()) };
    assert_eq!(
        captured.refunds,
        [seen(1175, "R1"), seen(500, "R2"), seen(200, "C1")],
        "a pending one counts"
    );

    for unreadable in [json!([{"refundConversationId": "R1"}]), json!([{"refundPrice": "x"}]), json!("çok")]
    {
        let (iyzico, _) = adapter([retrieved("SUCCESS", json!(1)), report(unreadable, json!([]))]);
        assert!(now(iyzico.inquire(&begun())).is_err(), "to overlook a refund would be to pay it twice");
    }
}

#[test]
fn a_whole_payment_is_cancelled_and_refunded_where_that_is_too_late() {
    let whole = RefundRequest { amount: Money { amount: 15540, currency: Currency::TRY }, ..refund(0) };
    let cancelled = json!({"status": "success", "paymentId": "22483975", "price": 155.4, "currency": "TRY", "conversationId": "R1"});
    let (iyzico, http) = adapter([retrieved("SUCCESS", json!(1)), cancelled]);
    assert_eq!(now(iyzico.refund(&whole)), Ok(()));
    assert!(http.last().line.ends_with("/payment/cancel"));

    let refunded = |price: &str| {
        signed(
            json!({"status": "success", "paymentId": "22483975", "price": price, "currency": "TRY", "conversationId": "R1"}),
            &["22483975", price, "TRY", "R1"],
        )
    };
    let late = json!({"status": "failure", "errorCode": "5093", "errorMessage": "gün sonu"});
    let (iyzico, http) = adapter([retrieved("SUCCESS", json!(1)), late, refunded("155.4")]);
    assert_eq!(now(iyzico.refund(&whole)), Ok(()));
    assert!(http.last().line.ends_with("/v2/payment/refund"));

    let (iyzico, http) = adapter([retrieved("SUCCESS", json!(1)), refunded("49.9")]);
    assert_eq!(now(iyzico.refund(&refund(4990))), Ok(()));
    let body: Value = serde_json::from_str(&http.last().body).unwrap();
    assert_eq!(
        (http.sent().len(), &body["price"], &body["paymentId"]),
        (2, &json!("49.9"), &json!("22483975"))
    );
    assert_eq!(body["conversationId"], "R1");
}

#[test]
fn a_refund_is_done_only_if_iyzico_signs_this_one() {
    let answer = |price: &str, conversation: &str, signature: &str| {
        json!({"status": "success", "paymentId": "22483975", "price": price, "currency": "TRY",
               "conversationId": conversation, "signature": signature})
    };
    let other_amount = signed(answer("4.9", "R1", ""), &["22483975", "4.9", "TRY", "R1"]);
    let other_refund = signed(answer("49.9", "R2", ""), &["22483975", "49.9", "TRY", "R2"]);
    for answer in [answer("49.9", "R1", "00"), other_amount, other_refund, json!({"status": "maybe"})] {
        let (iyzico, _) = adapter([retrieved("SUCCESS", json!(1)), answer.clone()]);
        let error = now(iyzico.refund(&refund(4990))).unwrap_err();
        assert!(matches!(error, ProviderError::OutcomeUnknown(_)), "{answer}: {error:?}");
    }
    for code in ["1", "10219"] {
        let failure = json!({"status": "failure", "errorCode": code});
        let (iyzico, _) = adapter([retrieved("SUCCESS", json!(1)), failure]);
        assert!(matches!(now(iyzico.refund(&refund(4990))), Err(ProviderError::OutcomeUnknown(_))), "{code}");
    }
    for answer in
        [Err(HttpError::NoAnswer("timed out".to_owned())), Ok((500, "{\"status\":\"success\"}".to_owned()))]
    {
        let (iyzico, _) = raw([Ok((200, retrieved("SUCCESS", json!(1)).to_string())), answer.clone()]);
        assert!(matches!(now(iyzico.refund(&refund(4990))), Err(ProviderError::OutcomeUnknown(_))));
        // Nothing was asked to be given back yet.
        let (iyzico, _) = raw([answer]);
        assert!(now(iyzico.refund(&refund(4990))).unwrap_err().retryable());
    }
    let (iyzico, _) = adapter([retrieved("FAILURE", json!(1))]);
    let error = now(iyzico.refund(&refund(4990))).unwrap_err();
    assert!(matches!(error, ProviderError::Refused { reason: Refusal::NotCaptured, .. }));
}

#[test]
fn each_documented_refusal_has_its_reason() {
    for (code, reason) in [
        (json!("1000"), Refusal::Configuration),
        (json!(1001), Refusal::Configuration),
        (json!("1009"), Refusal::Configuration),
        (json!("50000"), Refusal::Busy),
        (json!("5062"), Refusal::Other),
    ] {
        let (iyzico, _) = raw([Ok((422, json!({"status": "failure", "errorCode": code}).to_string()))]);
        match now(iyzico.begin(&payment())) {
            Err(ProviderError::Refused { reason: given, .. }) => assert_eq!(given, reason, "{code}"),
            other => panic!("{code}: {other:?}"),
        }
    }
}

fn webhook(body: &str, signature: Option<&str>) -> Result<Told, CallbackRefused> {
    let (iyzico, _) = adapter([json!({})]);
    let name = HeaderName::from_static("x-iyz-signature-v3");
    let headers: HeaderMap = signature.map(|value| (name, value.parse().unwrap())).into_iter().collect();
    iyzico.verify_callback(&Callback { headers: &headers, body: body.as_bytes(), received_at: NOW })
}

/// The message's values, without the secret that begins it.
fn webhook_signature(values: &[&str]) -> String {
    let key = KeyedHash::new(&Secret::new(SECRET)).unwrap();
    key.hex(&[SECRET.as_bytes(), values.concat().as_bytes()])
}

#[test]
fn a_webhook_says_where_to_look_and_no_more() {
    let page = json!({
        "paymentConversationId": "conv1001", "merchantId": 7, "token": TOKEN, "status": "SUCCESS",
        "iyziReferenceCode": "x", "iyziEventType": "CHECKOUT_FORM_AUTH", "iyziEventTime": 1, "iyziPaymentId": 22_483_975,
    });
    let signature = webhook_signature(&["CHECKOUT_FORM_AUTH", "22483975", TOKEN, "conv1001", "SUCCESS"]);
    let look = || Ok(Told::Look("conv1001".parse().unwrap()));
    assert_eq!(webhook(&page.to_string(), Some(&signature)), look());
    let direct = json!({
        "paymentConversationId": "conv1001", "paymentId": 22_483_975, "status": "SUCCESS", "iyziEventType": "THREE_DS_AUTH",
    });
    let direct_signature = webhook_signature(&["THREE_DS_AUTH", "22483975", "conv1001", "SUCCESS"]);
    assert_eq!(webhook(&direct.to_string(), Some(&direct_signature)), look());
    let refund = json!({"paymentConversationId": "R1", "paymentId": 1, "status": "SUCCESS", "iyziEventType": "REFUND_RETRY_SUCCESS"});
    let refund_signature = webhook_signature(&["REFUND_RETRY_SUCCESS", "1", "R1", "SUCCESS"]);
    assert_eq!(webhook(&refund.to_string(), Some(&refund_signature)), Ok(Told::Nothing));

    for (field, value) in [
        ("status", json!("FAILURE")),
        ("token", json!("another")),
        ("paymentConversationId", json!("conv1002")),
        ("iyziPaymentId", json!(22_483_976)),
    ] {
        let mut changed = page.clone();
        changed[field] = value;
        let refused = webhook(&changed.to_string(), Some(&signature));
        assert_eq!(refused, Err(CallbackRefused::WrongSignature), "{field}");
    }
    let text = page.to_string();
    assert_eq!(webhook(&text, Some(&"0".repeat(64))), Err(CallbackRefused::WrongSignature));
    assert_eq!(webhook(&text, None), Err(CallbackRefused::Malformed("x-iyz-signature-v3")));
    assert_eq!(webhook("token=x", Some(&signature)), Err(CallbackRefused::Malformed("body")));
}

#[test]
fn no_secret_is_in_any_debug_output() {
    let (iyzico, _) = adapter([json!({})]);
    let shown = format!("{:?} {:?}", config(), iyzico);
    assert!(shown.contains("sandbox-api.iyzipay.com") && !shown.contains("demoSecret"), "{shown}");
}

#[test]
fn a_configuration_without_a_part_is_refused_by_name() {
    for (field, config) in [
        ("api_key", IyzicoConfig { api_key: String::new(), ..config() }),
        ("secret_key", IyzicoConfig { secret_key: Secret::new(""), ..config() }),
        ("buyer_city", IyzicoConfig { buyer_city: " ".to_owned(), ..config() }),
        ("base_url", IyzicoConfig { base_url: Uri::from_static("/x"), ..config() }),
    ] {
        let http = Scripted::new([Ok((200, ""))]);
        assert_eq!(Iyzico::new(config, http, Arc::new(Sevens)).unwrap_err(), InvalidConfig(field));
    }
}
