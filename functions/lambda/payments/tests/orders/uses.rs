//! A coupon's uses under 64 orders at once.

use futures::future::join_all;
use sqlx::Connection as _;
use std::sync::Arc;
use tokio::sync::Barrier;

use crate::academy::{Academy, Who, learner, tenant};
use akademi_feed::LambdaEvent;

#[tokio::test(flavor = "multi_thread")]
async fn of_64_orders_at_once_on_a_coupon_of_10_uses_10_are_made() {
    let academy = Academy::new().await;
    let mut superuser = academy.superuser().await;
    let coupon = academy.coupon("bahar", Some(10)).await;
    let people: Vec<Who> = (100..164).map(learner).collect();
    for who in &people {
        academy.add_person(&mut superuser, who.user).await;
    }
    let quotes: Vec<String> =
        people.iter().map(|who| academy.quote(*who, &[(1, 14990)], Some(&coupon))).collect();
    let orders = people.iter().zip(&quotes).map(|(who, quote)| academy.order(*who, "k", quote));
    let answers = join_all(orders).await;

    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let refused =
        answers.iter().filter(|answer| answer.problem() == (409, "coupon-not-available".into())).count();
    assert_eq!((made, refused), (10, 54));
    assert_eq!(academy.uses().await, (10, 0));
    assert_eq!(academy.number("SELECT count(*) FROM coupon_use WHERE state = 'held'").await, 10);
    assert_eq!(academy.number("SELECT count(*) FROM customer_order").await, 10);
    let told = academy.events().await.into_iter().filter_map(|event| match event {
        LambdaEvent::CouponSaved { available, .. } => Some(available),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [true, false], "the edge hears that the last one is gone");

    // The last word is the database's: no statement gets past the limit.
    let error = sqlx::query("UPDATE coupon SET held = held + 1").execute(&mut superuser).await.unwrap_err();
    assert!(error.to_string().contains("coupon_uses_within_limit"), "{error}");
    println!("64 orders: {made} made, {refused} refused");
}

/// The same race with a look and a step apart, and without the schema's word: what the one locking statement is for.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_more_are_made() {
    let academy = Academy::new().await;
    academy.coupon("bahar", Some(10)).await;
    let mut superuser = academy.superuser().await;
    sqlx::query("ALTER TABLE coupon DROP CONSTRAINT coupon_uses_within_limit")
        .execute(&mut superuser)
        .await
        .unwrap();
    superuser.close().await.unwrap();
    let all_have_looked = Arc::new(Barrier::new(16));
    let holds = (0..16).map(|_| {
        let all_have_looked = all_have_looked.clone();
        let postgres = academy.database.postgres().clone();
        async move {
            let mut tx = postgres.tenant(tenant(1)).await.unwrap();
            let left: bool = sqlx::query_scalar("SELECT held + used < use_limit FROM coupon")
                .fetch_one(tx.connection())
                .await
                .unwrap();
            all_have_looked.wait().await;
            if left {
                sqlx::query("UPDATE coupon SET held = held + 1").execute(tx.connection()).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
    });
    join_all(holds.map(tokio::spawn)).await;
    let (held, _) = academy.uses().await;
    assert!(held > 10, "only {held}");
    println!("without the lock: {held} of 10 uses held");
}
