//! Accounts at providers as staff keeps them: sealed, chosen, audited.

use http::Method;
use serde_json::{Value, json};

use crate::academy::{Academy, KEY, learner, staff};
use crate::answer::Answer;

const PATH: &str = "/api/v1/commerce/payment-accounts";

fn iyzico(takes_orders: bool) -> Value {
    json!({
        "settings": {"provider": "iyzico", "api_key": "sandbox-api", "secret_key": "cok-gizli", "test_mode": true,
                     "buyer_city": "İstanbul"},
        "takes_orders": takes_orders,
        "callback_networks": ["203.0.113.9/24"],
    })
}

async fn put(academy: &Academy, body: &Value) -> Answer {
    academy.call(staff(), Method::PUT, PATH, None, Some(body)).await
}

async fn list(academy: &Academy) -> Vec<Value> {
    let answer = academy.call(staff(), Method::GET, PATH, None, None).await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(!text.contains("gizli") && !text.contains(KEY), "secrets are shown to nobody: {text}");
    answer.json()["data"].as_array().unwrap().clone()
}

fn choices(accounts: &[Value]) -> Vec<(&str, bool)> {
    let choice = |account: &'_ Value| account["takes_orders"].as_bool().unwrap();
    accounts.iter().map(|account| (account["provider"].as_str().unwrap(), choice(account))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_keeps_an_account_and_says_where_orders_are_paid() {
    let academy = Academy::new().await;
    let saved = put(&academy, &iyzico(false)).await;
    assert_eq!(saved.status, 200, "{}", saved.json());
    let saved = saved.json();
    let path = saved["callback_path"].as_str().unwrap().to_owned();
    assert!(
        path.starts_with("/callbacks/iyzico/") && path.len() == "/callbacks/iyzico/".len() + 32,
        "{path}"
    );
    assert_eq!(saved["account"], "sandbox-api");
    assert_eq!(saved["callback_networks"], json!(["203.0.113.0/24"]), "in its own spelling");
    assert_eq!(choices(&list(&academy).await), [("iyzico", false), ("paytr", true)]);
    let chosen = put(&academy, &iyzico(true)).await.json();
    assert_eq!(chosen["callback_path"], path, "the provider knows it");
    assert_eq!(choices(&list(&academy).await), [("iyzico", true), ("paytr", false)]);
    assert_eq!(put(&academy, &iyzico(false)).await.status, 200);
    assert_eq!(choices(&list(&academy).await), [("iyzico", false), ("paytr", false)]);
    let quote = academy.quote(learner(1), &[(1, 14990)], None);
    assert_eq!(academy.order(learner(1), "k", &quote).await.status, 409, "nobody takes payments");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_leaves_an_audit_entry_without_its_secrets() {
    let academy = Academy::new().await;
    assert_eq!(put(&academy, &iyzico(true)).await.status, 200);
    let change = "SELECT change::text FROM audit_entry WHERE action = 'payment_account.saved'";
    let change = academy.texts(change).await;
    assert_eq!(change.len(), 1);
    assert!(change[0].contains("sandbox-api") && !change[0].contains("gizli"), "{}", change[0]);
    let readable =
        "SELECT count(*) FROM payment_account WHERE position('gizli'::bytea IN sealed_settings) > 0";
    assert_eq!(academy.number(readable).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_provider_would_take_is_refused_by_its_field_and_kept_nowhere() {
    let academy = Academy::new().await;
    let with = |pointer: &str, value: Value| {
        let mut body = iyzico(true);
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (body, field) in [
        (with("/settings/secret_key", json!("")), "settings.secret_key"),
        (with("/settings/buyer_city", json!(" ")), "settings.buyer_city"),
        (with("/callback_networks/0", json!("203.0.113.9")), "callback_networks[0]"),
        (with("/callback_networks", json!(vec!["10.0.0.0/8"; 51])), "callback_networks"),
    ] {
        let answer = put(&academy, &body).await;
        assert_eq!(answer.status, 422, "{field}");
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
    for body in [with("/settings/provider", json!("banka")), with("/settings/test_mode", json!("evet"))] {
        assert!((400..=422).contains(&put(&academy, &body).await.status));
    }
    let body = iyzico(true);
    assert_eq!(academy.call(learner(1), Method::PUT, PATH, None, Some(&body)).await.status, 403);
    assert_eq!(academy.call(learner(1), Method::GET, PATH, None, None).await.status, 403);
    assert_eq!(list(&academy).await.len(), 1, "PayTR's, from the beginning");
}
