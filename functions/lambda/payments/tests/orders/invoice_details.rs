//! Orders that say whom their invoice names.

use http::Method;
use serde_json::{Value, json};

use crate::academy::{Academy, learner};

fn company() -> Value {
    json!({ "name": "Örnek Yazılım Ltd. Şti.", "tax_number": "4840847211", "tax_office": "Beşiktaş",
            "street": "Ihlamur Cd. 1", "district": "Beşiktaş", "city": "İstanbul", "country": "Türkiye" })
}

fn body(quote: &str, details: &Value) -> Value {
    let mut body = Academy::order_body(quote);
    body["invoice_details"] = details.clone();
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_says_whom_its_invoice_names_and_it_is_kept_sealed() {
    let academy = Academy::new().await;
    let quote = academy.quote(learner(1), &[(1, 14990)], None);
    let body = body(&quote, &company());
    let order = |key| academy.call(learner(1), Method::POST, "/api/v1/orders", Some(key), Some(&body));
    let made = order("k").await;
    assert_eq!(made.status, 201, "{}", made.json());
    assert_eq!(order("k").await.json(), made.json(), "the same key");
    let kept = format!(
        "SELECT count(*) FROM invoice_details WHERE order_id = '{}'",
        made.json()["id"].as_str().unwrap()
    );
    assert_eq!(academy.number(&kept).await, 1);
    let readable = "SELECT count(*) FROM invoice_details AS row, convert_to('Ihlamur', 'UTF8') AS word
                    WHERE position(word IN sealed_details) > 0";
    assert_eq!(academy.number(readable).await, 0);
    let elsewhere = "SELECT (SELECT count(*) FROM customer_order AS row WHERE row::text LIKE '%4840847211%')
                     + (SELECT count(*) FROM idempotency AS row WHERE row::text LIKE '%4840847211%')";
    assert_eq!(academy.number(elsewhere).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn details_that_no_invoice_could_name_make_no_order() {
    let academy = Academy::new().await;
    let quote = academy.quote(learner(1), &[(1, 14990)], None);
    for (field, value) in [
        ("tax_number", json!("4840847212")),
        ("tax_number", json!("10000000145")),
        ("tax_office", Value::Null),
        ("city", json!(" ")),
    ] {
        let mut wrong = company();
        wrong[field] = value;
        let body = body(&quote, &wrong);
        let refused =
            academy.call(learner(1), Method::POST, "/api/v1/orders", Some(field), Some(&body)).await;
        assert_eq!(refused.status, 422, "{field}");
        assert_eq!(refused.json()["errors"][0]["field"], format!("invoice_details.{field}"));
    }
    let written = "SELECT (SELECT count(*) FROM customer_order) + (SELECT count(*) FROM invoice_details)
                   + (SELECT count(*) FROM idempotency)";
    assert_eq!(academy.number(written).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_nothing_has_no_invoice_and_nothing_is_kept_for_one() {
    let academy = Academy::new().await;
    let body = body(&academy.quote(learner(1), &[(3, 0)], None), &company());
    let made = academy.call(learner(1), Method::POST, "/api/v1/orders", Some("k"), Some(&body)).await;
    assert_eq!((made.status, &made.json()["state"]), (201, &json!("paid")));
    assert_eq!(academy.number("SELECT count(*) FROM invoice_details").await, 0);
}
