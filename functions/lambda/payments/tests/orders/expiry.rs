//! Orders that nobody paid in time.

use crate::academy::{Academy, person};

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_order_ends_after_half_an_hour_and_frees_its_coupon() {
    let academy = Academy::new().await;
    let coupon = academy.coupon("bahar", Some(2)).await;
    let (first, _) = academy.order_one(1, Some(&coupon)).await;
    let (paid, oid) = academy.order_one(2, Some(&coupon)).await;
    assert_eq!(academy.pay(&oid, 11992).await.body, "OK");
    academy.clock.advance_seconds(30 * 60 - 1);
    assert_eq!(academy.payments.expire_orders(academy.now()).await.unwrap(), 0);
    academy.clock.advance_seconds(1);
    let (a, b) = tokio::join!(
        academy.payments.expire_orders(academy.now()),
        academy.payments.expire_orders(academy.now())
    );
    assert_eq!(a.unwrap() + b.unwrap(), 1, "two at once end it once");
    assert_eq!(
        (academy.state(1, &first).await, academy.state(2, &paid).await),
        ("expired".into(), "paid".into())
    );
    assert_eq!(academy.uses().await, (0, 1));
    assert_eq!(
        academy.texts("SELECT state FROM reservation ORDER BY state").await,
        ["confirmed", "released"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn money_and_the_end_of_the_time_at_once_pay_the_order() {
    for _ in 0..5 {
        let academy = Academy::new().await;
        let coupon = academy.coupon("bahar", Some(1)).await;
        let (id, oid) = academy.order_one(1, Some(&coupon)).await;
        academy.clock.advance_seconds(31 * 60);
        let (ended, answer) =
            tokio::join!(academy.payments.expire_orders(academy.now()), academy.pay(&oid, 11992));
        ended.unwrap();
        assert_eq!(answer.body, "OK");
        assert_eq!(academy.state(1, &id).await, "paid", "whoever came first");
        assert_eq!(academy.uses().await, (0, 1));
        assert_eq!(academy.granted(person(1)).await.len(), 1);
    }
}
