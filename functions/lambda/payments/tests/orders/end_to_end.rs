//! The whole road over real HTTP: the sandbox's page, its button, its callbacks.

use akademi_payment_sandbox::Behaviour;

use crate::academy::{Academy, course, learner, person};
use crate::sandbox::{callbacks, press, start};

/// Orders course 1 and presses a button of the page; the order and where the browser is sent.
async fn order_and_press(academy: &Academy, form: &'static str) -> (String, String) {
    let quote = academy.quote(learner(1), &[(1, 14990)], None);
    let made = academy.order(learner(1), "k", &quote).await.json();
    let location = press(made["checkout"]["page"].as_str().unwrap(), "149,90 TL", form).await;
    (made["id"].as_str().unwrap().to_owned(), location)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_there_before_the_browser_is_back() {
    let (academy, _sandbox) = start(Behaviour { delay_ms: 20, ..Behaviour::default() }).await;
    let (id, location) = order_and_press(&academy, "sonuc=ode&taksit=0").await;
    assert_eq!(location, format!("http://umraniye.localhost:3000/orders/{id}?returned=paid"));
    assert_eq!(academy.state(1, &id).await, "paid");
    callbacks(&academy, 3).await;
    assert_eq!(academy.granted(person(1)).await, [course(1)]);
    assert_eq!(academy.number("SELECT count(*) FROM ledger_transaction").await, 1);
    assert_eq!(academy.number("SELECT count(*) FROM payment_alarm").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_was_lost_and_forged_first_arrives_in_the_end() {
    let behaviour = Behaviour {
        before_return: 0,
        drop_first: 1,
        corrupt_hash: 1,
        forge_amount: 1,
        retry_ms: 10,
        ..Behaviour::default()
    };
    let (academy, _sandbox) = start(behaviour).await;
    let (id, _) = order_and_press(&academy, "sonuc=ode&taksit=0").await;
    callbacks(&academy, 5).await;
    assert_eq!(academy.state(1, &id).await, "paid");
    assert_eq!(academy.granted(person(1)).await, [course(1)]);
    assert_eq!(academy.texts("SELECT kind FROM payment_alarm").await, ["wrong_signature", "wrong_signature"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_payment_fails_the_order() {
    let (academy, _sandbox) = start(Behaviour { delay_ms: 20, ..Behaviour::default() }).await;
    let (id, location) = order_and_press(&academy, "sonuc=reddet&neden=2").await;
    assert!(location.ends_with("returned=failed"), "{location}");
    callbacks(&academy, 3).await;
    assert_eq!(academy.state(1, &id).await, "failed");
    assert_eq!(academy.texts("SELECT state || ' ' || failure_code FROM payment").await, ["failed 2"]);
    assert!(academy.granted(person(1)).await.is_empty());
}
