//! The PayTR adapter against the sandbox, end to end over HTTP.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use akademi_domain::money::{Currency, Money};
use akademi_payment_sandbox::{Behaviour, Config, Merchant};
use akademi_payments::{
    paytr::{PayTr, PayTrConfig, Secret},
    provider::*,
};
use proptest::prelude::*;
use serde_json::json;

use crate::shop::{Http, Setup, payment, quick};

const KEY: &str = "demoMerchantKey1";
const SALT: &str = "demoMerchantSalt";

fn adapter(sandbox: SocketAddr, key: &str, salt: &str, limit: Duration) -> PayTr {
    let config = PayTrConfig {
        merchant_id: "100200".to_owned(),
        merchant_key: Secret::new(key),
        merchant_salt: Secret::new(salt),
        base_url: format!("http://{sandbox}").parse().unwrap(),
        test_mode: true,
        page_minutes: 30,
        private_buyer_address: Some("203.0.113.7".parse().unwrap()),
    };
    PayTr::new(config, Arc::new(Http::new(limit))).unwrap()
}

async fn start(behaviour: Behaviour) -> Setup<PayTr> {
    let config = |callback_url| Config {
        merchants: vec![Merchant {
            merchant_id: "100200".to_owned(),
            merchant_key: KEY.to_owned(),
            merchant_salt: SALT.to_owned(),
            callback_url,
        }],
        behaviour,
        ..Config::default()
    };
    Setup::start(config, |sandbox| adapter(sandbox, KEY, SALT, Duration::from_secs(5))).await
}

impl Setup<PayTr> {
    /// Begins a payment and presses the button; answers the attempt.
    async fn pay(&self, oid: &str, amount: i64) -> Reference {
        let payment = payment(oid, amount);
        let checkout = self.provider.begin(&payment).await.unwrap();
        let (status, location) = self.press(&checkout.page, "sonuc=ode").await;
        assert_eq!((status.as_u16(), location.as_str()), (303, "http://umraniye.localhost/odeme/tamam"));
        payment.attempt
    }

    fn callbacks(&self) -> Vec<Result<Notification, CallbackRefused>> {
        let outcome = |told: Result<Told, _>| {
            told.map(|told| match told {
                Told::Outcome(notification) => notification,
                other => panic!("{other:?}"),
            })
        };
        self.told().into_iter().map(outcome).collect()
    }

    async fn callbacks_after(&self, count: usize) -> Vec<Result<Notification, CallbackRefused>> {
        self.told_after(count).await;
        self.callbacks()
    }
}

fn try_amount(amount: i64) -> Money {
    Money { amount, currency: Currency::TRY }
}

fn refund(attempt: &Reference, amount: i64, reference: &str) -> RefundRequest {
    RefundRequest {
        attempt: attempt.clone().into(),
        amount: try_amount(amount),
        reference: reference.parse().unwrap(),
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> Refusal {
    match result {
        Err(ProviderError::Refused { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_notified_three_times_and_once_before_the_browser_returns() {
    let setup = start(Behaviour { delay_ms: 400, ..quick() }).await;
    let request = payment("ORD1", 14990);
    let checkout = setup.provider.begin(&request).await.unwrap();

    let (status, page) = setup.open(&checkout.page).await;
    assert_eq!(status, 200);
    for text in ["149,90 TL", "İklim &lt;ve&gt; Işık: Açık Ders", "Öde</button>", "Reddet</button>", "ORD1"]
    {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(page.contains("<form method=\"post\"") && !page.contains("<script"), "works without scripts");

    let (status, location) = setup.press(&checkout.page, "sonuc=ode&taksit=0").await;
    assert_eq!((status.as_u16(), location.as_str()), (303, "http://umraniye.localhost/odeme/tamam"));
    assert_eq!(setup.callbacks().len(), 1, "one callback before the browser is sent back");

    let callbacks = setup.callbacks_after(3).await;
    assert_eq!(callbacks.len(), 3);
    let first = callbacks[0].clone().unwrap();
    assert!(callbacks.iter().all(|callback| callback.as_ref() == Ok(&first)), "the same thing three times");
    assert_eq!((&first.attempt, &first.outcome), (&request.attempt, &Outcome::Captured));
    assert_eq!((first.total_amount, first.currency, first.test), (14990, Some(Currency::TRY), true));
    assert_eq!(first.check(request.amount), Ok(()));
    let hosts = setup.received.lock().unwrap().hosts.clone();
    assert!(hosts.iter().all(|host| host.starts_with("odeme.localhost:")), "{hosts:?}");

    let again = setup.press(&checkout.page, "sonuc=reddet&neden=0").await;
    assert_eq!(again, (status, location), "a decided payment stays as it is");
    assert_eq!(setup.callbacks_after(3).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_payment_says_why_and_stays_declined() {
    let setup = start(quick()).await;
    let request = payment("ORD1", 14990);
    let checkout = setup.provider.begin(&request).await.unwrap();
    let (status, location) = setup.press(&checkout.page, "sonuc=reddet&neden=2").await;
    assert_eq!((status.as_u16(), location.as_str()), (303, "http://umraniye.localhost/odeme/olmadi"));
    let Outcome::Failed(failure) = setup.callbacks()[0].clone().unwrap().outcome else { panic!("captured") };
    assert_eq!((failure.reason, failure.code.as_str()), (FailureReason::Authentication, "2"));
    assert_eq!(failure.message, "Kimlik doğrulama başarısız");
    setup.press(&checkout.page, "sonuc=ode").await;
    assert_eq!(setup.provider.inquire(&request.attempt.clone().into()).await, Ok(Inquiry::NotCaptured));
    assert_eq!(
        refusal(setup.provider.begin(&request).await),
        Refusal::Other,
        "a new attempt needs a new reference"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_left_fails_in_time() {
    let setup = start(Behaviour { page_timeout_ms: Some(50), ..quick() }).await;
    setup.provider.begin(&payment("ORD1", 14990)).await.unwrap();
    let Outcome::Failed(failure) = setup.callbacks_after(1).await[0].clone().unwrap().outcome else {
        panic!("captured")
    };
    assert_eq!(failure.reason, FailureReason::Abandoned);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_or_salt_is_refused_everywhere() {
    let setup = start(quick()).await;
    let attempt = setup.pay("ORD1", 14990).await;
    for (key, salt) in [("otherKey", SALT), (KEY, "otherSalt")] {
        let wrong = adapter(setup.sandbox, key, salt, Duration::from_secs(5));
        assert_eq!(refusal(wrong.begin(&payment("ORD2", 100)).await), Refusal::Other);
        assert_eq!(refusal(wrong.refund(&refund(&attempt, 100, "R1")).await), Refusal::Configuration);
        assert_eq!(refusal(wrong.inquire(&attempt.clone().into()).await), Refusal::Configuration);
    }
    assert_eq!(setup.payments("payments").await.as_array().unwrap().len(), 1);
    assert_eq!(setup.payments("payments").await[0]["refunds"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn tampered_callbacks_are_refused_until_an_honest_one_comes() {
    let setup = start(Behaviour { copies: 1, corrupt_hash: 1, forge_amount: 1, ..quick() }).await;
    setup.pay("ORD1", 14990).await;
    let callbacks = setup.callbacks_after(3).await;
    assert_eq!(callbacks.len(), 3);
    assert_eq!(callbacks[0], Err(CallbackRefused::WrongSignature), "wrong hash");
    assert_eq!(callbacks[1], Err(CallbackRefused::WrongSignature), "ten times the amount");
    assert_eq!(callbacks[2].as_ref().unwrap().total_amount, 14990);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_callback_of_too_little_does_not_fit_the_order() {
    let setup = start(Behaviour { copies: 1, misstated_total: Some(1), ..quick() }).await;
    setup.pay("ORD1", 14990).await;
    let notification = setup.callbacks()[0].clone().unwrap();
    assert_eq!(notification.check(try_amount(14990)), Err(Discrepancy::Underpaid));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_exact_answer_ends_the_repetitions() {
    let setup = start(Behaviour { copies: 1, ..quick() }).await;
    let wrong = [(503, "OK"), (202, "OK"), (200, "OK\n"), (200, "\"OK\""), (200, "ok"), (200, "")];
    setup.received.lock().unwrap().wrong_answers =
        wrong.map(|(status, body)| (http::StatusCode::from_u16(status).unwrap(), body)).to_vec();
    setup.pay("ORD1", 14990).await;
    assert_eq!(setup.callbacks_after(7).await.len(), 7);
    let callbacks = setup.payments("payments").await[0]["callbacks"].take();
    let accepted: Vec<_> = callbacks.as_array().unwrap().iter().map(|row| row["accepted"] == true).collect();
    assert_eq!(accepted, [false, false, false, false, false, false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_callbacks_come_again_and_simultaneous_ones_all_come() {
    let setup = start(Behaviour { drop_first: 2, simultaneous: true, delay_ms: 0, ..quick() }).await;
    setup.pay("ORD1", 14990).await;
    assert_eq!(setup.callbacks_after(3).await.len(), 3);
    let payment = setup.payments("payments").await[0].take();
    let dropped =
        payment["callbacks"].as_array().unwrap().iter().filter(|row| row["dropped"] == true).count();
    assert_eq!(dropped, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn reordered_callbacks_come_after_the_return_and_the_last_payment_first() {
    let setup = start(Behaviour { copies: 1, reorder: 2, delay_ms: 0, ..quick() }).await;
    setup.pay("FIRST", 100).await;
    assert_eq!(setup.callbacks().len(), 0, "held");
    setup.pay("SECOND", 200).await;
    let order = |callbacks: Vec<Result<Notification, CallbackRefused>>| -> Vec<String> {
        callbacks.into_iter().map(|callback| callback.unwrap().attempt.to_string()).collect()
    };
    assert_eq!(order(setup.callbacks_after(2).await), ["SECOND", "FIRST"]);
    setup.pay("THIRD", 300).await;
    setup.set_behaviour(json!({"copies": 1})).await;
    assert_eq!(order(setup.callbacks_after(3).await), ["SECOND", "FIRST", "THIRD"], "released");
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_are_partial_repeated_and_never_more_than_what_is_left() {
    let setup = start(Behaviour { copies: 1, ..quick() }).await;
    let attempt = setup.pay("ORD1", 14990).await;
    assert_eq!(setup.provider.refund(&refund(&attempt, 4990, "R1")).await, Ok(()));
    assert_eq!(setup.provider.refund(&refund(&attempt, 9999, "R2")).await, Ok(()));
    let over = setup.provider.refund(&refund(&attempt, 2, "R3")).await;
    assert_eq!(refusal(over), Refusal::ExceedsRemaining);
    assert_eq!(setup.provider.refund(&refund(&attempt, 1, "R3")).await, Ok(()));
    let unknown = setup.provider.refund(&refund(&"NONE".parse().unwrap(), 1, "R4")).await;
    assert_eq!(refusal(unknown), Refusal::NotCaptured);

    let Ok(Inquiry::Captured(captured)) = setup.provider.inquire(&attempt.clone().into()).await else {
        panic!("not found")
    };
    assert_eq!((captured.amount, captured.total_amount, captured.test), (try_amount(14990), 14990, true));
    let seen = |amount, reference: &str| RefundSeen { amount, reference: Some(reference.to_owned()) };
    assert_eq!(captured.refunds, [seen(4990, "R1"), seen(9999, "R2"), seen(1, "R3")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_not_acknowledged_is_not_refunded_yet() {
    let setup = start(Behaviour { copies: 1, drop_first: 1, retry_ms: 1_000, ..quick() }).await;
    let attempt = setup.pay("ORD1", 14990).await;
    let early = setup.provider.refund(&refund(&attempt, 14990, "R1")).await;
    assert!(early.as_ref().unwrap_err().retryable());
    assert_eq!(refusal(early), Refusal::NotYetNotified);
    setup.callbacks_after(1).await;
    assert_eq!(setup.provider.refund(&refund(&attempt, 14990, "R1")).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_unknown_outcome_is_found_by_its_reference_and_would_be_paid_twice() {
    let setup = start(Behaviour { copies: 1, ..quick() }).await;
    let attempt = setup.pay("ORD1", 14990).await;
    setup
        .set_behaviour(json!({"hang_ms": 3_000, "faults": [
            {"endpoint": "refund", "kind": "error_after", "times": 1},
            {"endpoint": "refund", "kind": "hang_before", "times": 1},
        ]}))
        .await;
    let first = refund(&attempt, 4990, "R1");
    let error = setup.provider.refund(&first).await.unwrap_err();
    assert!(matches!(error, ProviderError::OutcomeUnknown(_)) && !error.retryable(), "{error:?}");
    let impatient = adapter(setup.sandbox, KEY, SALT, Duration::from_millis(200));
    let error = impatient.refund(&refund(&attempt, 100, "R2")).await.unwrap_err();
    assert_eq!(error, ProviderError::OutcomeUnknown("timed out".to_owned()));

    let references = async || match setup.provider.inquire(&attempt.clone().into()).await {
        Ok(Inquiry::Captured(captured)) => {
            captured.refunds.into_iter().map(|refund| refund.reference.unwrap()).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(references().await, ["R1"], "the first was done, the second was not");
    assert_eq!(setup.provider.refund(&first).await, Ok(()));
    assert_eq!(references().await, ["R1", "R1"], "repeating it blindly gives the money back twice");
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
    assert_eq!(setup.callbacks()[0].as_ref().unwrap().outcome, Outcome::Captured);
    assert!(matches!(
        setup.provider.inquire(&request.attempt.clone().into()).await,
        Ok(Inquiry::Captured(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn installments_cost_interest_that_the_order_accepts() {
    let setup = start(Behaviour { copies: 1, ..quick() }).await;
    let request = payment("ORD1", 10_000);
    let checkout = setup.provider.begin(&request).await.unwrap();
    setup.press(&checkout.page, "sonuc=ode&taksit=3").await;
    let notification = setup.callbacks()[0].clone().unwrap();
    assert_eq!((notification.total_amount, notification.payment_amount), (10_300, Some(10_000)));
    assert_eq!(notification.check(request.amount), Ok(()));
    let Ok(Inquiry::Captured(captured)) = setup.provider.inquire(&request.attempt.clone().into()).await
    else {
        panic!()
    };
    assert_eq!((captured.amount.amount, captured.total_amount), (10_000, 10_300));

    let single = PaymentRequest { installments: Installments::Single, ..payment("ORD2", 10_000) };
    let checkout = setup.provider.begin(&single).await.unwrap();
    assert!(!setup.open(&checkout.page).await.1.contains("taksit, toplam"));
    assert_eq!(setup.press(&checkout.page, "sonuc=ode&taksit=3").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_or_unknown_is_not_captured_and_nobody_there_is_retryable() {
    let setup = start(quick()).await;
    setup.provider.begin(&payment("OPEN", 100)).await.unwrap();
    for oid in ["OPEN", "NEVERSEEN"] {
        assert_eq!(
            setup.provider.inquire(&oid.parse::<Reference>().unwrap().into()).await,
            Ok(Inquiry::NotCaptured),
            "{oid}"
        );
    }
    let nowhere = adapter("127.0.0.1:1".parse().unwrap(), KEY, SALT, Duration::from_secs(5));
    let error = nowhere.begin(&payment("ORD2", 100)).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable(_)) && error.retryable(), "{error:?}");
}

#[test]
fn our_signature_holds_at_the_sandbox_for_any_basket_and_buyer() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let setup = runtime.block_on(start(quick()));
    let serial = std::sync::atomic::AtomicU32::new(0);
    // Letters of Turkish, what forms and JSON escape, what is outside the basic plane.
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
    let strategy = (text(), text(), prop::collection::vec(line, 1..6), 1i64..10_000_000, any::<[u8; 4]>());
    proptest!(ProptestConfig::with_cases(64), |((name, address, basket, amount, ip) in strategy)| {
        let number = serial.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut request = payment(&format!("P{number}"), amount);
        request.buyer.name = name.clone();
        request.buyer.address = address;
        request.buyer.email = format!("ö+{number}&x=1@örnek.example");
        request.buyer.client_address = ip.into();
        request.basket = basket.clone();
        let checkout = runtime.block_on(setup.provider.begin(&request));
        prop_assert!(checkout.is_ok(), "{:?}", checkout);
        let seen = runtime.block_on(setup.payments("payments")).as_array().unwrap().last().unwrap().clone();
        prop_assert_eq!(seen["user_name"].as_str().unwrap(), name.trim());
        prop_assert_eq!(seen["payment_amount"].as_i64(), Some(amount));
        let names: Vec<_> = basket.iter().map(|line| json!(line.name)).collect();
        let names_seen: Vec<_> =
            seen["basket"].as_array().unwrap().iter().map(|line| line[0].clone()).collect();
        prop_assert_eq!(names, names_seen);
    });
}
