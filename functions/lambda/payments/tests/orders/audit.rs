//! What prices and coupons leave in the audit log.

use akademi_lambda_store::audit::{Verdict, verify};
use akademi_seal::PersonKey;
use http::Method;
use serde_json::{Value, json};
use sqlx::Row;

use crate::academy::{Academy, course, learner, lira, staff, tenant};

const ENTRIES: &str = "SELECT count(*) FROM audit_entry";
const COUPONS: &str = "/api/v1/commerce/coupons";

/// Action, target and change of all entries but those of the academy's own prices, in order.
async fn entries(academy: &Academy, after: i64) -> Vec<(String, String, Value)> {
    let mut superuser = academy.superuser().await;
    sqlx::query("SELECT action, target, change FROM audit_entry WHERE number > $1 ORDER BY number")
        .bind(after)
        .fetch_all(&mut superuser)
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get("action"), row.get("target"), row.get("change")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_leaves_one_entry_with_what_it_was_and_the_same_price_again_none() {
    let academy = Academy::new().await;
    let before = academy.number(ENTRIES).await;
    assert_eq!(before, 3, "one for each of the academy's prices");
    assert_eq!(academy.set_price(1, 19990).await.status, 200);
    assert_eq!(academy.set_price(1, 19990).await.status, 200);
    assert_eq!(academy.set_price(1, -1).await.status, 422);
    assert_eq!(academy.set_price(9, 1).await.status, 404);
    let path = format!("/api/v1/commerce/courses/{}/price", course(1));
    let body = json!({ "amount": 1, "currency": "TRY", "vat_basis_points": 0 });
    assert_eq!(academy.call(learner(1), Method::PUT, &path, None, Some(&body)).await.status, 403);
    let change = json!({ "before": { "price": lira(14990) }, "after": { "price": lira(19990) } });
    let target = format!("course:{}", course(1));
    assert_eq!(entries(&academy, before).await, [("price.set".to_owned(), target, change)]);
    let verdict = verify(academy.database.postgres(), tenant(1)).await.unwrap();
    assert_eq!(verdict, Verdict::Whole { entries: 4 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_leaves_one_entry_and_a_refused_one_none() {
    let academy = Academy::new().await;
    let before = academy.number(ENTRIES).await;
    let (id, terms) = academy.coupon("İNDİRİM", Some(3)).await;
    let again = json!({ "code": "indirim", "discount": terms.discount, "scope": terms.scope });
    assert_eq!(academy.call(staff(), Method::POST, COUPONS, None, Some(&again)).await.status, 409);
    let made = json!({ "code": "indirim", "terms": terms, "use_limit": 3, "person_use_limit": null });
    let change = json!({ "before": null, "after": made });
    assert_eq!(
        entries(&academy, before).await,
        [("coupon.created".to_owned(), format!("coupon:{id}"), change)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_sealed_under_the_actors_key_once_it_is_here() {
    let academy = Academy::new().await;
    let unsealed = "SELECT count(*) FROM audit_entry WHERE origin = '' AND sealed_for IS NULL";
    assert_eq!(academy.number(unsealed).await, 3);
    academy.add_person(&mut academy.superuser().await, staff().user).await;
    assert_eq!(academy.set_price(1, 1).await.status, 200);
    let row = sqlx::query("SELECT actor, origin, sealed_for FROM audit_entry WHERE number = 4")
        .fetch_one(&mut academy.superuser().await)
        .await
        .unwrap();
    let staff = staff().user;
    assert_eq!(row.get::<sqlx::types::Uuid, _>("actor"), staff.as_uuid());
    assert_eq!(row.get::<sqlx::types::Uuid, _>("sealed_for"), staff.as_uuid());
    let origin = PersonKey::from_bytes([5; 32]).open(staff, "audit", row.get("origin")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&origin).unwrap(), json!({ "address": "127.0.0.1" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_learners_do_leaves_no_entry() {
    let academy = Academy::new().await;
    let before = academy.number(ENTRIES).await;
    academy.order_one(1, None).await;
    assert_eq!(academy.number(ENTRIES).await, before);
}
