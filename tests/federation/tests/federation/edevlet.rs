//! e-Devlet's own protocol, against a stand-in made of what its clients agree on.

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use sqlx::Row;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use crate::{
    browser::query,
    plane::{Plane, tenant},
    world::contains,
};

const NUMBER: &str = "10000000146";
const SERVER: &str = "/OAuth2AuthorizationServer";

type Parameters = BTreeMap<String, String>;
type Answers = Arc<Mutex<Value>>;

async fn token(Form(asked): Form<Parameters>) -> Response {
    let is_ours = asked["client_id"] == "c0ffee" && asked["client_secret"] == "s" && asked["code"] == "good";
    if !is_ours || asked["grant_type"] != "authorization_code" {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    Json(json!({ "access_token": "t", "expires_in": 300 })).into_response()
}

async fn person(State(answers): State<Answers>, Query(asked): Query<Parameters>) -> Json<Value> {
    let expected =
        [("accessToken", "t"), ("clientId", "c0ffee"), ("kapsam", "Ad-Soyad"), ("resourceId", "1")];
    assert!(asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected), "{asked:?}");
    Json(answers.lock().unwrap().clone())
}

fn honest() -> Value {
    json!({
        "sonucKodu": "EDV09.000", "sonucAciklamasi": "İşlem başarılı",
        "kullaniciBilgileri": { "kimlikNo": NUMBER, "ad": "AYŞE", "soyad": "YILMAZ" },
    })
}

async fn stand_in() -> (Plane, Answers) {
    let answers: Answers = Arc::new(Mutex::new(honest()));
    let router = Router::new()
        .route(&format!("{SERVER}/AccessTokenController"), post(token))
        .route(&format!("{SERVER}/AuthenticationController"), post(person))
        .with_state(answers.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plane = Plane::new(&format!("http://{}", listener.local_addr().unwrap())).await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = json!({
        "kind": "edevlet", "client_id": "c0ffee", "client_secret": "s", "scope": "Kimlik-Dogrula;Ad-Soyad",
    });
    plane.configure("e-devlet", settings).await;
    (plane, answers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_citizen_is_known_by_a_keyed_hash_and_a_name() {
    let (plane, _) = stand_in().await;
    let (_, sent) = plane.authorize(tenant(1), "e-devlet").await;
    let address = sent["url"].as_str().unwrap();
    assert!(address.contains(&format!("{SERVER}/AuthorizationController?")), "{address}");
    let asked = query(address);
    assert_eq!((asked["scope"].as_str(), asked["state"].as_str()), ("Kimlik-Dogrula;Ad-Soyad", "state"));

    let (status, claims) = plane.exchange("e-devlet", "good").await;
    assert_eq!(status, 200, "{claims}");
    assert_eq!((&claims["name"], &claims["verified_email"]), (&json!("AYŞE YILMAZ"), &Value::Null));
    assert_eq!(claims["issuer"], "https://giris.turkiye.gov.tr");
    assert_eq!(claims["subject"].as_str().unwrap().len(), 64);
    assert_eq!(plane.exchange("e-devlet", "good").await.1, claims, "for good");
    assert!(!claims.to_string().contains(NUMBER));
    let mut connection = plane.database.superuser().await.unwrap();
    let rows = sqlx::query("SELECT row_to_json(t)::text FROM identity_provider t").fetch_all(&mut connection);
    let rows: Vec<String> = rows.await.unwrap().iter().map(|row| row.get(0)).collect();
    assert!(!contains(rows.concat().as_bytes(), NUMBER));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_code_of_success_is_one() {
    let (plane, answers) = stand_in().await;
    assert_eq!(plane.exchange("e-devlet", "bad").await.0, 403);
    let person = &honest()["kullaniciBilgileri"];
    let with_number = |number: &str| {
        let mut lie = honest();
        lie["kullaniciBilgileri"]["kimlikNo"] = json!(number);
        lie
    };
    for (lie, status) in [
        (json!({ "sonucKodu": "EDV09.001", "kullaniciBilgileri": person }), 403),
        (json!({ "sonucKodu": "edv09.000", "kullaniciBilgileri": person }), 403),
        (json!({ "sonucKodu": "", "kullaniciBilgileri": person }), 403),
        (json!({ "sonucKodu": "EDV09.000" }), 503),
        (json!({ "kullaniciBilgileri": person }), 503),
        (with_number("10000000145"), 503),
        (with_number(""), 503),
    ] {
        *answers.lock().unwrap() = lie.clone();
        assert_eq!(plane.exchange("e-devlet", "good").await.0, status, "{lie}");
    }
}
