//! Facebook's own protocol, against a stand-in.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use crate::{
    browser::query,
    plane::{Plane, tenant},
};

const SECRET: &str = "demo_app_secret_0001";
const TOKEN: &str = "EAADemoToken";

type Parameters = Query<BTreeMap<String, String>>;
type Facts = Arc<Mutex<Value>>;

async fn token(Path(version): Path<String>, Query(asked): Parameters) -> Response {
    assert_eq!(version, "v23.0");
    let is_ours = asked["client_id"] == "123" && asked["client_secret"] == SECRET && asked["code"] == "good";
    if !is_ours || asked["redirect_uri"] != "https://academy.example/callback" {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": { "code": 100 } }))).into_response();
    }
    Json(json!({ "access_token": TOKEN, "token_type": "bearer", "expires_in": 5_183_944 })).into_response()
}

async fn debug_token(State(facts): State<Facts>, Query(asked): Parameters) -> Json<Value> {
    assert_eq!(
        (asked["input_token"].as_str(), asked["access_token"].as_str()),
        (TOKEN, "123|demo_app_secret_0001")
    );
    Json(json!({ "data": *facts.lock().unwrap() }))
}

async fn me(Query(asked): Parameters) -> Response {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(asked["access_token"].as_bytes());
    if asked["appsecret_proof"] != hex::encode(mac.finalize().into_bytes()) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let me = json!({ "id": "10158", "name": "Ayşe Yılmaz", "email": "ayse@example.org" });
    Json(me).into_response()
}

fn honest() -> Value {
    json!({ "app_id": "123", "user_id": "10158", "is_valid": true, "expires_at": 0, "scopes": ["public_profile"] })
}

async fn stand_in() -> (Plane, Facts) {
    let facts: Facts = Arc::new(Mutex::new(honest()));
    let router = Router::new()
        .route("/{version}/oauth/access_token", get(token))
        .route("/debug_token", get(debug_token))
        .route("/{version}/me", get(me))
        .with_state(facts.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plane = Plane::new(&format!("http://{}", listener.local_addr().unwrap())).await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = json!({ "kind": "facebook", "app_id": "123", "app_secret": SECRET, "version": "v23.0" });
    plane.configure("fb", settings).await;
    (plane, facts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_says_who_somebody_is_and_no_address() {
    let (plane, _) = stand_in().await;
    let (status, sent) = plane.authorize(tenant(1), "fb").await;
    assert_eq!(status, 200, "{sent}");
    let address = sent["url"].as_str().unwrap();
    assert!(address.contains("/v23.0/dialog/oauth?"), "{address}");
    let asked = query(address);
    assert_eq!((asked["client_id"].as_str(), asked["state"].as_str()), ("123", "state"));
    assert_eq!(plane.authorize(tenant(2), "fb").await.0, 404, "it is another academy's");
    let (status, claims) = plane.exchange("fb", "good").await;
    assert_eq!(status, 200, "{claims}");
    let expected = json!({
        "issuer": "https://www.facebook.com", "subject": "10158", "verified_email": null, "name": "Ayşe Yılmaz",
    });
    assert_eq!(claims, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_app_or_person_says_nothing() {
    let (plane, facts) = stand_in().await;
    assert_eq!(plane.exchange("fb", "bad").await.0, 403);
    for (name, value, status) in [
        ("app_id", json!("999"), 403),
        ("app_id", Value::Null, 403),
        ("is_valid", json!(false), 403),
        ("expires_at", json!(1), 403),
        ("user_id", json!("1"), 503),
    ] {
        let mut lie = honest();
        lie[name] = value;
        *facts.lock().unwrap() = lie.clone();
        assert_eq!(plane.exchange("fb", "good").await.0, status, "{lie}");
    }
}
