//! The iyzico adapter against the sandbox, end to end over HTTP.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use akademi_api::ports::Rng;
use akademi_domain::money::{Currency, Money};
use akademi_payment_sandbox::{Behaviour, Config, IyzicoMerchant};
use akademi_payments::{
    iyzico::{Iyzico, IyzicoConfig},
    paytr::Secret,
    provider::*,
};
use proptest::prelude::*;
use serde_json::json;

use crate::shop::{Http, Setup, payment, quick};

const API_KEY: &str = "sandbox-demoApiKey0001";
const SECRET_KEY: &str = "sandbox-demoSecretKey0001";

/// Never the same bytes twice, whichever adapter asks.
struct Counter;

static COUNTED: AtomicU64 = AtomicU64::new(1);

impl Rng for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let number = COUNTED.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        bytes.iter_mut().zip(number.iter().cycle()).for_each(|(byte, random)| *byte = *random);
    }
}

fn adapter(sandbox: SocketAddr, api_key: &str, secret_key: &str, limit: Duration) -> Iyzico {
    let config = IyzicoConfig {
        api_key: api_key.to_owned(),
        secret_key: Secret::new(secret_key),
        base_url: format!("http://{sandbox}").parse().unwrap(),
        buyer_city: "İstanbul".to_owned(),
    };
    Iyzico::new(config, Arc::new(Http::new(limit)), Arc::new(Counter)).unwrap()
}

async fn start(behaviour: Behaviour) -> Setup<Iyzico> {
    let config = |webhook_url| Config {
        iyzico_merchants: vec![IyzicoMerchant {
            merchant_id: "7".to_owned(),
            api_key: API_KEY.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
            webhook_url,
        }],
        behaviour,
        ..Config::default()
    };
    Setup::start(config, |sandbox| adapter(sandbox, API_KEY, SECRET_KEY, Duration::from_secs(5))).await
}

impl Setup<Iyzico> {
    /// Begins a payment and presses the button; the attempt, and the page that follows.
    async fn decide(&self, oid: &str, amount: i64, form: &'static str) -> (BegunAttempt, String) {
        let payment = payment(oid, amount);
        let checkout = self.provider.begin(&payment).await.unwrap();
        let (status, page) = self.post(&checkout.page, form).await;
        assert_eq!(status, 200, "{page}");
        let begun =
            BegunAttempt { reference: payment.attempt, provider_reference: checkout.provider_reference };
        (begun, page)
    }

    async fn pay(&self, oid: &str, amount: i64) -> BegunAttempt {
        self.decide(oid, amount, "sonuc=ode").await.0
    }

    async fn captured(&self, attempt: &BegunAttempt) -> Captured {
        match self.provider.inquire(attempt).await {
            Ok(Inquiry::Captured(captured)) => captured,
            other => panic!("{other:?}"),
        }
    }

    async fn failed(&self, attempt: &BegunAttempt) -> Failure {
        match self.provider.inquire(attempt).await {
            Ok(Inquiry::Failed(failure)) => failure,
            other => panic!("{other:?}"),
        }
    }
}

fn lira(amount: i64) -> Money {
    Money { amount, currency: Currency::TRY }
}

fn refund(attempt: &BegunAttempt, amount: i64, reference: &str) -> RefundRequest {
    RefundRequest { attempt: attempt.clone(), amount: lira(amount), reference: reference.parse().unwrap() }
}

fn seen(amount: i64, reference: &str) -> RefundSeen {
    RefundSeen { amount, reference: Some(reference.to_owned()) }
}

fn look(oid: &str) -> Result<Told, CallbackRefused> {
    Ok(Told::Look(oid.parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_told_of_three_times_and_the_browser_carries_its_token_back() {
    let setup = start(Behaviour { delay_ms: 400, ..quick() }).await;
    let request = payment("ORD1", 14990);
    let checkout = setup.provider.begin(&request).await.unwrap();
    let token = checkout.provider_reference.clone().unwrap();
    let (status, page) = setup.open(&checkout.page).await;
    assert_eq!(status, 200);
    for text in
        ["149,90 TRY", "İklim &lt;ve&gt; Işık: Açık Ders", "Öde</button>", "3-D Secure ile öde</button>"]
    {
        assert!(page.contains(text), "{text} in {page}");
    }
    let begun = BegunAttempt { reference: request.attempt, provider_reference: Some(token.clone()) };
    assert_eq!(setup.provider.inquire(&begun).await, Ok(Inquiry::NotCaptured), "open");

    let (_, page) = setup.post(&checkout.page, "sonuc=ode").await;
    assert!(page.contains("action=\"http://umraniye.localhost/odeme/donus\""), "{page}");
    assert!(page.contains(&format!("name=\"token\" value=\"{token}\"")), "{page}");
    assert_eq!(setup.told(), [look("ORD1")], "one webhook before the browser is sent back");
    let captured = setup.captured(&begun).await;
    assert_eq!((captured.amount, captured.total_amount, captured.test), (lira(14990), 14990, true));
    assert_eq!(captured.refunds, []);
    assert_eq!(setup.told_after(3).await, [look("ORD1"), look("ORD1"), look("ORD1")]);

    let (_, again) = setup.post(&checkout.page, "sonuc=reddet&neden=10051").await;
    assert_eq!(again, page, "a decided payment stays as it is");
    let lost = BegunAttempt { provider_reference: None, ..begun };
    assert_eq!(setup.captured(&lost).await, captured, "found by our own reference too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_payment_says_why_and_stays_declined() {
    let setup = start(quick()).await;
    let (attempt, _) = setup.decide("ORD1", 14990, "sonuc=reddet&neden=10051").await;
    let failure = setup.failed(&attempt).await;
    assert_eq!((failure.reason, failure.code.as_str()), (FailureReason::Bank, "10051"));
    assert_eq!(failure.message, "Kart limiti yetersiz, yetersiz bakiye");
    let error = setup.provider.refund(&refund(&attempt, 100, "R1")).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused { reason: Refusal::NotCaptured, .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_d_secure_pays_with_the_right_code_only() {
    let setup = start(Behaviour { copies: 1, ..quick() }).await;
    for (oid, code, is_paid) in [("RIGHT", "kod=123456", true), ("WRONG", "kod=654321", false)] {
        let request = payment(oid, 14990);
        let checkout = setup.provider.begin(&request).await.unwrap();
        let (status, bank) = setup.press(&checkout.page, "sonuc=3ds").await;
        assert_eq!(status, 303);
        let begun =
            BegunAttempt { reference: request.attempt, provider_reference: checkout.provider_reference };
        assert_eq!(setup.provider.inquire(&begun).await, Ok(Inquiry::NotCaptured), "the bank waits");
        let bank = format!("http://{}{bank}", setup.sandbox).parse().unwrap();
        assert!(setup.open(&bank).await.1.contains("name=\"kod\""));
        setup.post(&bank, code).await;
        if is_paid {
            assert_eq!(setup.captured(&begun).await.total_amount, 14990);
        } else {
            assert_eq!(setup.failed(&begun).await.reason, FailureReason::Authentication);
        }
    }
    assert_eq!(setup.told_after(2).await, [look("RIGHT"), look("WRONG")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_looked_at_for_fraud_is_open_and_what_is_found_one_has_failed() {
    let setup = start(quick()).await;
    let (review, _) = setup.decide("REVIEW", 100, "sonuc=incele").await;
    assert_eq!(setup.provider.inquire(&review).await, Ok(Inquiry::NotCaptured));
    let (fraud, _) = setup.decide("FRAUD", 100, "sonuc=supheli").await;
    assert_eq!(setup.failed(&fraud).await.reason, FailureReason::Security);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_refused_everywhere() {
    let setup = start(quick()).await;
    let attempt = setup.pay("ORD1", 14990).await;
    for (api_key, secret_key) in [("other", SECRET_KEY), (API_KEY, "other")] {
        let wrong = adapter(setup.sandbox, api_key, secret_key, Duration::from_secs(5));
        let refused = |error: ProviderError| {
            assert!(
                matches!(error, ProviderError::Refused { reason: Refusal::Configuration, .. }),
                "{error:?}"
            );
        };
        refused(wrong.begin(&payment("ORD2", 100)).await.unwrap_err());
        refused(wrong.inquire(&attempt).await.unwrap_err());
        refused(wrong.refund(&refund(&attempt, 100, "R1")).await.unwrap_err());
    }
    let payments = setup.payments("iyzico").await;
    assert_eq!((payments.as_array().unwrap().len(), &payments[0]["given_back"]), (1, &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn tampered_webhooks_are_refused_until_an_honest_one_comes() {
    let setup = start(Behaviour { copies: 1, corrupt_hash: 1, forge_amount: 1, ..quick() }).await;
    setup.pay("ORD1", 14990).await;
    let wrong = || Err(CallbackRefused::WrongSignature);
    assert_eq!(setup.told_after(3).await, [wrong(), wrong(), look("ORD1")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_too_little_does_not_fit_the_order() {
    let setup = start(Behaviour { misstated_total: Some(1), ..quick() }).await;
    let attempt = setup.pay("ORD1", 14990).await;
    let captured = Inquiry::Captured(setup.captured(&attempt).await);
    let notification = captured.outcome(&attempt.reference).unwrap();
    assert_eq!(notification.check(lira(14990)), Err(Discrepancy::Underpaid));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_and_unanswered_webhooks_come_again_and_reordered_ones_late() {
    let setup = start(Behaviour { copies: 1, drop_first: 1, ..quick() }).await;
    setup.received.lock().unwrap().wrong_answers = vec![(http::StatusCode::SERVICE_UNAVAILABLE, "")];
    setup.pay("LOST", 100).await;
    assert_eq!(setup.told_after(2).await, [look("LOST"), look("LOST")], "any success is enough");
    setup.set_behaviour(json!({"copies": 1, "reorder": 2})).await;
    setup.pay("FIRST", 100).await;
    setup.pay("SECOND", 100).await;
    assert_eq!(setup.told_after(4).await[2..], [look("SECOND"), look("FIRST")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_are_partial_repeated_and_never_more_than_what_is_left() {
    let setup = start(Behaviour { copies: 1, ..quick() }).await;
    let attempt = setup.pay("ORD1", 14990).await;
    assert_eq!(setup.provider.refund(&refund(&attempt, 4990, "R1")).await, Ok(()));
    assert_eq!(setup.provider.refund(&refund(&attempt, 9999, "R2")).await, Ok(()));
    let over = setup.provider.refund(&refund(&attempt, 2, "R3")).await;
    assert!(matches!(over, Err(ProviderError::Refused { .. })), "{over:?}");
    assert_eq!(setup.provider.refund(&refund(&attempt, 1, "R3")).await, Ok(()));
    let refunds = setup.captured(&attempt).await.refunds;
    assert_eq!(refunds, [seen(4990, "R1"), seen(9999, "R2"), seen(1, "R3")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_payment_is_cancelled_on_its_day_and_refunded_after_it() {
    let setup = start(Behaviour { copies: 1, ..quick() }).await;
    let today = setup.pay("TODAY", 14990).await;
    assert_eq!(setup.provider.refund(&refund(&today, 14990, "R1")).await, Ok(()));
    setup.set_behaviour(json!({"copies": 1, "day_is_over": true})).await;
    let before = setup.pay("BEFORE", 14990).await;
    assert_eq!(setup.provider.refund(&refund(&before, 14990, "R2")).await, Ok(()));
    for (attempt, reference) in [(&today, "R1"), (&before, "R2")] {
        assert_eq!(setup.captured(attempt).await.refunds, [seen(14990, reference)]);
    }
    let payments = setup.payments("iyzico").await;
    let is_cancellation = |n: usize| payments[n]["given_back"][0]["is_cancellation"].as_bool().unwrap();
    assert_eq!((is_cancellation(0), is_cancellation(1)), (true, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_unknown_outcome_is_found_by_its_reference_and_would_be_paid_twice() {
    let setup = start(Behaviour { copies: 1, ..quick() }).await;
    let attempt = setup.pay("ORD1", 14990).await;
    setup
        .set_behaviour(json!({"hang_ms": 3_000, "faults": [
            {"endpoint": "refund", "kind": "error_after", "times": 1},
            {"endpoint": "cancel", "kind": "hang_after", "times": 1},
        ]}))
        .await;
    let first = refund(&attempt, 4990, "R1");
    let error = setup.provider.refund(&first).await.unwrap_err();
    assert!(matches!(error, ProviderError::OutcomeUnknown(_)) && !error.retryable(), "{error:?}");
    assert_eq!(setup.captured(&attempt).await.refunds, [seen(4990, "R1")], "it was done");
    assert_eq!(setup.provider.refund(&first).await, Ok(()));
    assert_eq!(setup.captured(&attempt).await.refunds, [seen(9980, "R1")], "blindly, and so twice");

    let whole = setup.pay("ORD2", 14990).await;
    let impatient = adapter(setup.sandbox, API_KEY, SECRET_KEY, Duration::from_millis(300));
    let error = impatient.refund(&refund(&whole, 14990, "R2")).await.unwrap_err();
    assert_eq!(
        error,
        ProviderError::OutcomeUnknown("timed out".to_owned()),
        "no refund after a silent cancellation"
    );
    assert_eq!(setup.captured(&whole).await.refunds, [seen(14990, "R2")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_captured_though_the_page_answers_500() {
    let setup = start(quick()).await;
    setup
        .set_behaviour(
            json!({"copies": 1, "faults": [{"endpoint": "pay", "kind": "error_after", "times": 1}]}),
        )
        .await;
    let request = payment("ORD1", 14990);
    let checkout = setup.provider.begin(&request).await.unwrap();
    assert_eq!(setup.press(&checkout.page, "sonuc=ode").await.0, 500);
    assert_eq!(setup.told(), [look("ORD1")]);
    let begun = BegunAttempt { reference: request.attempt, provider_reference: checkout.provider_reference };
    assert_eq!(setup.captured(&begun).await.total_amount, 14990);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_initialize_is_of_unknown_outcome_and_nobody_there_is_retryable() {
    let setup = start(quick()).await;
    setup
        .set_behaviour(json!({"hang_ms": 3_000, "faults": [
            {"endpoint": "initialize", "kind": "hang_after", "times": 1},
            {"endpoint": "inquiry", "kind": "error_before", "times": 1},
        ]}))
        .await;
    let impatient = adapter(setup.sandbox, API_KEY, SECRET_KEY, Duration::from_millis(200));
    let error = impatient.begin(&payment("ORD1", 100)).await.unwrap_err();
    assert_eq!(error, ProviderError::OutcomeUnknown("timed out".to_owned()));
    let lost = BegunAttempt::from("ORD1".parse::<Reference>().unwrap());
    assert!(setup.provider.inquire(&lost).await.is_err(), "500");
    assert_eq!(setup.provider.inquire(&lost).await, Ok(Inquiry::NotCaptured), "nobody saw its page");
    let nowhere = adapter("127.0.0.1:1".parse().unwrap(), API_KEY, SECRET_KEY, Duration::from_secs(5));
    let error = nowhere.begin(&payment("ORD2", 100)).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable(_)) && error.retryable(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn installments_cost_interest_that_the_order_accepts() {
    let setup = start(Behaviour { copies: 1, ..quick() }).await;
    let (attempt, _) = setup.decide("ORD1", 10_000, "sonuc=ode&taksit=3").await;
    let captured = setup.captured(&attempt).await;
    assert_eq!((captured.amount.amount, captured.total_amount), (10_000, 10_300));
    let notification = Inquiry::Captured(captured).outcome(&attempt.reference).unwrap();
    assert_eq!(notification.check(lira(10_000)), Ok(()));
    let single = PaymentRequest { installments: Installments::Single, ..payment("ORD2", 10_000) };
    let checkout = setup.provider.begin(&single).await.unwrap();
    assert_eq!(setup.press(&checkout.page, "sonuc=ode&taksit=3").await.0, 400);
}

#[test]
fn our_signature_holds_at_the_sandbox_for_any_basket_and_buyer() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let setup = runtime.block_on(start(quick()));
    let serial = std::sync::atomic::AtomicU32::new(0);
    let text = || {
        let characters =
            prop::sample::select("abcİIıiŞşĞğÇçÖöÜü &=+%\"\\'<>/;,[]{}😀é漢".chars().collect::<Vec<_>>());
        prop::collection::vec(prop_oneof![4 => characters, 1 => any::<char>()], 1..24)
            .prop_map(|characters| format!("A{}", characters.into_iter().collect::<String>()))
    };
    let line = (text(), 0i64..10_000_000, 1u32..100).prop_map(|(name, unit_price, quantity)| BasketLine {
        name,
        unit_price,
        quantity,
    });
    let strategy = (text(), text(), prop::collection::vec(line, 1..6));
    proptest!(ProptestConfig::with_cases(64), |((name, address, basket) in strategy)| {
        let number = serial.fetch_add(1, Ordering::Relaxed);
        let total: i64 = basket.iter().map(|line| line.unit_price * i64::from(line.quantity)).sum();
        prop_assume!(total > 0);
        let mut request = payment(&format!("P{number}"), total);
        request.buyer.name = name;
        request.buyer.address = address;
        request.basket = basket.clone();
        let checkout = runtime.block_on(setup.provider.begin(&request));
        prop_assert!(checkout.is_ok(), "{:?}", checkout);
        let shown = runtime.block_on(setup.payments("iyzico")).as_array().unwrap().last().unwrap().clone();
        prop_assert_eq!(shown["price"].as_i64(), Some(total));
        let names: Vec<_> =
            basket.iter().filter(|line| line.unit_price > 0).map(|line| json!(line.name.trim())).collect();
        let items = shown["items"].as_array().unwrap();
        prop_assert_eq!(names, items.iter().map(|item| item["name"].clone()).collect::<Vec<_>>());
    });
}
