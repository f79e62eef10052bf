//! Coupons' uses: all of them, those of one person, and the one of a first purchase, under orders at once.

use akademi_domain::{
    ids::CouponId,
    permission::{Permission, Permissions},
};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;
use std::sync::Arc;
use tokio::sync::Barrier;

use crate::academy::{Academy, Who, course, learner, line, person, staff, tenant};
use crate::sold_elsewhere::beside;
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
    assert_eq!(academy.number("SELECT count(*) FROM reservation WHERE state = 'held'").await, 10);
    assert_eq!(academy.number("SELECT count(*) FROM customer_order").await, 10);
    let told = academy.events().await.into_iter().filter_map(|event| match event {
        LambdaEvent::CouponSaved { available, .. } => Some(available),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [true, false], "the edge hears that the last one is gone");

    // The last word is the database's: no statement gets past the limit.
    let error = sqlx::query("UPDATE budget SET held = held + 1").execute(&mut superuser).await.unwrap_err();
    assert!(error.to_string().contains("budget_within_ceiling"), "{error}");
    println!("64 orders: {made} made, {refused} refused");
}

/// The same race with a look and a step apart, and without the schema's word: what the one locking statement is for.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_more_are_made() {
    let academy = Academy::new().await;
    academy.coupon("bahar", Some(10)).await;
    let mut superuser = academy.superuser().await;
    sqlx::query("ALTER TABLE budget DROP CONSTRAINT budget_within_ceiling")
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
            let left: bool = sqlx::query_scalar("SELECT held + used < ceiling FROM budget")
                .fetch_one(tx.connection())
                .await
                .unwrap();
            all_have_looked.wait().await;
            if left {
                sqlx::query("UPDATE budget SET held = held + 1").execute(tx.connection()).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
    });
    join_all(holds.map(tokio::spawn)).await;
    let (held, _) = academy.uses().await;
    assert!(held > 10, "only {held}");
    println!("without the lock: {held} of 10 uses held");
}

/// How many of these orders of the first person, each with a key of its own, are made.
async fn made_at_once(academy: &Academy, quotes: &[String]) -> usize {
    let keys: Vec<String> = (0..quotes.len()).map(|n| format!("key-{n}")).collect();
    let orders = keys.iter().zip(quotes).map(|(key, quote)| academy.order(learner(1), key, quote));
    let answers = join_all(orders).await;
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.problem(), (409, "coupon-not-available".into()));
    }
    answers.iter().filter(|answer| answer.status == 201).count()
}

/// What the edge was told: whether the person has used the coupon up.
async fn spent(academy: &Academy, id: CouponId) -> Vec<bool> {
    let told = academy.events().await.into_iter().filter_map(|event| match event {
        LambdaEvent::CouponSpent { coupon, person: told, spent, .. } => {
            assert_eq!((coupon, told), (id, person(1)));
            Some(spent)
        }
        _ => None,
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_orders_of_one_person_on_a_coupon_of_two_uses_each_two_are_made() {
    let academy = Academy::new().await;
    let coupon = academy.coupon_of("bahar", json!({ "person_use_limit": 2 })).await;
    let quotes = vec![academy.quote(learner(1), &[(1, 14990)], Some(&coupon)); 16];
    assert_eq!(made_at_once(&academy, &quotes).await, 2);
    assert_eq!(academy.uses().await, (2, 0), "what was refused holds nothing");
    let other = academy.quote(learner(2), &[(1, 14990)], Some(&coupon));
    assert_eq!(academy.order(learner(2), "k", &other).await.status, 201, "another person has their own");
    assert_eq!(spent(&academy, coupon.0).await, [true]);
    academy.clock.advance_seconds(31 * 60);
    assert_eq!(academy.payments.expire_orders(academy.now()).await.unwrap(), 3);
    assert_eq!(
        academy.number("SELECT sum(held + used)::bigint FROM budget WHERE kind = 'coupon_of_person'").await,
        0
    );
    assert_eq!(spent(&academy, coupon.0).await, [true, false]);

    let mut superuser = academy.superuser().await;
    let error = sqlx::query("UPDATE budget SET held = 3").execute(&mut superuser).await.unwrap_err();
    assert!(error.to_string().contains("budget_within_ceiling"), "{error}");
}

/// Staff's change of the limit locks the coupon's uses first, as [`beside`] sees an order wait for.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_changes_while_somebody_orders_is_the_new_one_from_their_first_use() {
    let academy = Academy::new().await;
    let coupon = academy.coupon_of("bahar", json!({ "use_limit": 9, "person_use_limit": 5 })).await;
    let quote = academy.quote(learner(1), &[(1, 14990)], Some(&coupon));
    let mut change = academy.superuser().await;
    let statements =
        "BEGIN; UPDATE budget SET ceiling = 9 WHERE kind = 'coupon'; UPDATE coupon SET person_use_limit = 1";
    sqlx::raw_sql(statements).execute(&mut change).await.unwrap();
    let (waited, answer) = beside(&academy, &mut change, academy.order(learner(1), "k", &quote)).await;
    assert!(waited);
    assert_eq!(answer.problem(), (409, "price-changed".into()));
    assert_eq!(academy.uses().await, (0, 0), "what was refused holds nothing");
    assert_eq!(academy.order(learner(1), "l", &quote).await.status, 201);
    assert_eq!(academy.order(learner(1), "m", &quote).await.problem(), (409, "coupon-not-available".into()));
}

/// The same with a look and a step apart, and without the schema's word.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_one_person_has_more_than_their_uses() {
    let academy = Academy::new().await;
    let coupon = academy.coupon_of("bahar", json!({ "person_use_limit": 2 })).await;
    let quote = academy.quote(learner(1), &[(1, 14990)], Some(&coupon));
    assert_eq!(academy.order(learner(1), "k", &quote).await.status, 201);
    let mut superuser = academy.superuser().await;
    sqlx::query("ALTER TABLE budget DROP CONSTRAINT budget_within_ceiling")
        .execute(&mut superuser)
        .await
        .unwrap();
    superuser.close().await.unwrap();
    let all_have_looked = Arc::new(Barrier::new(8));
    let holds = (0..8).map(|_| {
        let all_have_looked = all_have_looked.clone();
        let postgres = academy.database.postgres().clone();
        async move {
            let mut tx = postgres.tenant(tenant(1)).await.unwrap();
            let left: bool = sqlx::query_scalar(
                "SELECT held + used < ceiling FROM budget WHERE kind = 'coupon_of_person'",
            )
            .fetch_one(tx.connection())
            .await
            .unwrap();
            all_have_looked.wait().await;
            if left {
                sqlx::query("UPDATE budget SET held = held + 1 WHERE kind = 'coupon_of_person'")
                    .execute(tx.connection())
                    .await
                    .unwrap();
            }
            tx.commit().await.unwrap();
        }
    });
    join_all(holds.map(tokio::spawn)).await;
    let uses = academy.number("SELECT held FROM budget WHERE kind = 'coupon_of_person'").await;
    assert!(uses > 2, "only {uses}");
    println!("without the lock: {uses} of 2 uses of one person");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_8_orders_at_once_one_is_the_first_purchase() {
    let academy = Academy::new().await;
    let welcome = academy.coupon_of("hosgeldin", json!({ "first_purchase_only": true })).await;
    // With a second coupon of the kind on the same order: one purchase, not two.
    let fields = json!({ "first_purchase_only": true, "stackable": true });
    let pair = [academy.coupon_of("ilk-1", fields.clone()).await, academy.coupon_of("ilk-2", fields).await];
    let quote = academy.quote(learner(1), &[(1, 14990)], Some(&welcome));
    let two = academy.quote_lines(learner(1), &[line(1, 14990)], &pair);
    let quotes = [vec![quote.clone(); 4], vec![two.clone(); 4]].concat();
    assert_eq!(made_at_once(&academy, &quotes).await, 1);
    academy.clock.advance_seconds(31 * 60);
    assert_eq!(academy.payments.expire_orders(academy.now()).await.unwrap(), 1);
    assert_eq!(academy.number("SELECT held + used FROM budget WHERE kind = 'first_purchase'").await, 0);

    let two = academy.quote_lines(learner(1), &[line(1, 14990)], &pair);
    let made = academy.order(learner(1), "again", &two).await;
    assert_eq!(made.status, 201, "free again: {}", made.json());
    let total = made.json()["total"]["amount"].as_i64().unwrap();
    assert_eq!(academy.pay(&academy.provider.sent("merchant_oid"), total).await.body, "OK");
    assert_eq!(
        academy.texts("SELECT state FROM reservation WHERE state <> 'released' AND kind = 'coupon'").await,
        ["confirmed"; 2]
    );
    let later = academy.quote(learner(1), &[(2, 10000)], Some(&welcome));
    assert_eq!(
        academy.order(learner(1), "later", &later).await.problem(),
        (409, "coupon-not-available".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_bought_without_a_coupon_has_no_first_purchase_left() {
    let academy = Academy::new().await;
    let welcome = academy.coupon_of("hosgeldin", json!({ "first_purchase_only": true })).await;
    let (_, oid) = academy.order_one(1, None).await;
    assert_eq!(academy.pay(&oid, 14990).await.body, "OK");
    let quote = academy.quote(learner(1), &[(2, 10000)], Some(&welcome));
    assert_eq!(academy.order(learner(1), "k", &quote).await.problem(), (409, "coupon-not-available".into()));
    assert_eq!(academy.uses().await, (0, 0));
    assert_eq!(academy.granted(person(1)).await, [course(1)]);
}

/// The same with a look and a step apart, and without the schema's word.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_two_orders_are_the_first() {
    let academy = Academy::new().await;
    let welcome = academy.coupon_of("hosgeldin", json!({ "first_purchase_only": true })).await;
    let quote = academy.quote(learner(1), &[(1, 14990)], Some(&welcome));
    assert_eq!(academy.order(learner(1), "k", &quote).await.status, 201);
    let mut superuser = academy.superuser().await;
    sqlx::raw_sql("ALTER TABLE budget DROP CONSTRAINT budget_within_ceiling; UPDATE budget SET held = 0")
        .execute(&mut superuser)
        .await
        .unwrap();
    superuser.close().await.unwrap();
    let all_have_looked = Arc::new(Barrier::new(2));
    let holds = (0..2).map(|_| {
        let all_have_looked = all_have_looked.clone();
        let postgres = academy.database.postgres().clone();
        async move {
            let mut tx = postgres.tenant(tenant(1)).await.unwrap();
            let left: bool =
                sqlx::query_scalar("SELECT held + used < ceiling FROM budget WHERE kind = 'first_purchase'")
                    .fetch_one(tx.connection())
                    .await
                    .unwrap();
            all_have_looked.wait().await;
            if left {
                sqlx::query("UPDATE budget SET held = held + 1 WHERE kind = 'first_purchase'")
                    .execute(tx.connection())
                    .await
                    .unwrap();
            }
            tx.commit().await.unwrap();
        }
    });
    join_all(holds.map(tokio::spawn)).await;
    assert_eq!(academy.number("SELECT held FROM budget WHERE kind = 'first_purchase'").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_with_one_of_two_coupons_gone_holds_neither() {
    let academy = Academy::new().await;
    let stackable = |limit: i64| json!({ "stackable": true, "use_limit": limit });
    let plenty = academy.coupon_of("cok", stackable(9)).await;
    let one = academy.coupon_of("tek", stackable(1)).await;
    let pair = [plenty, one.clone()];
    let quote = academy.quote_lines(learner(1), &[line(1, 14990)], &pair);
    let made = academy.order(learner(1), "k", &quote).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let total = made.json()["total"]["amount"].as_i64().unwrap();
    assert_eq!(total, 9594, "14990 less a fifth is 11992, and less a fifth of that");
    let held = "SELECT sum(held)::bigint FROM budget WHERE kind = 'coupon'";
    assert_eq!(academy.number(held).await, 2);
    let late = academy.provider.sent("merchant_oid");
    academy.clock.advance_seconds(31 * 60);
    assert_eq!(academy.payments.expire_orders(academy.now()).await.unwrap(), 1);
    assert_eq!(academy.number(held).await, 0);

    let quick = academy.quote(learner(2), &[(1, 14990)], Some(&one));
    assert_eq!(academy.order(learner(2), "k", &quick).await.status, 201);
    assert_eq!(academy.pay(&late, total).await.body, "OK");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(academy.state(1, &id).await, "refund_due");
    assert_eq!(academy.number(held).await, 1, "only the quick one's");
    assert_eq!(
        academy.number("SELECT count(*) FROM reservation WHERE state = 'held' AND kind = 'coupon'").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_is_changed_within_what_is_used_of_it_and_people_hear_what_they_have_left() {
    let academy = Academy::new().await;
    let fields = json!({ "use_limit": 5, "person_use_limit": 1 });
    let (id, terms) = academy.coupon_of("bahar", fields).await;
    for n in [1, 2] {
        let quote = academy.quote(learner(n), &[(1, 14990)], Some(&(id, terms.clone())));
        assert_eq!(academy.order(learner(n), "k", &quote).await.status, 201);
    }
    let path = format!("/api/v1/commerce/coupons/{id}");
    let body = |code: &str, uses: Value, of_person: Value| {
        json!({ "code": code, "discount": { "kind": "percent", "share": 1000 }, "scope": { "kind": "all" },
                "public": true, "use_limit": uses, "person_use_limit": of_person })
    };
    let put = async |who: Who, body: Value| academy.call(who, Method::PUT, &path, None, Some(&body)).await;
    let told = async || {
        let told = academy.events().await.into_iter().filter_map(|event| match event {
            LambdaEvent::CouponSaved { code, terms, available, .. } => {
                Some(format!("{code} {} {available}", terms.public))
            }
            LambdaEvent::CouponSpent { person: whose, spent, .. } => {
                Some(format!("{} {spent}", if whose == person(1) { 1 } else { 2 }))
            }
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    let before = told().await;
    assert_eq!(before, ["bahar false true", "1 true", "2 true"]);
    assert_eq!(put(staff(), body("bahar", json!(1), json!(1))).await.problem(), (409, "more-in-use".into()));
    academy.coupon("yaz", None).await;
    assert_eq!(
        put(staff(), body("yaz", json!(5), json!(1))).await.problem(),
        (409, "coupon-code-taken".into())
    );
    let instructor = Who { permissions: Permissions::NONE.with(Permission::CommerceWrite), ..staff() };
    for uses in [5, 1] {
        assert_eq!(put(instructor, body("bahar", json!(uses), json!(1))).await.status, 404, "{uses}");
    }
    let changed = put(staff(), body("guz", json!(2), json!(2))).await.json();
    assert_eq!(
        (&changed["code"], &changed["held"], &changed["public"]),
        (&json!("guz"), &json!(2), &json!(true))
    );
    assert_eq!(told().await[4..], ["guz true false", "1 false", "2 false"], "all uses are held");
    assert_eq!(put(staff(), body("guz", Value::Null, json!(1))).await.status, 200);
    assert_eq!(told().await[7..], ["guz true true", "1 true", "2 true"]);
    let log = academy.texts("SELECT action FROM audit_entry WHERE action = 'coupon.changed'").await;
    assert_eq!(log.len(), 2, "what was refused is not told");
}
