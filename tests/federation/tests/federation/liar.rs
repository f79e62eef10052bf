//! A provider that speaks the true protocol and says whatever a test wants.

use axum::{
    Form, Json, Router,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, Mac};
use http::{StatusCode, header};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use crate::{
    browser::{Browser, Page, query},
    world::CLIENT_ID,
};

/// Of the key that it publishes.
pub const KID: &str = "k1";

#[derive(Default)]
pub struct Says {
    /// Beside or instead of what its description says.
    pub description: Value,
    pub id_token: String,
    pub access_token: String,
    /// What its token endpoint was last asked, and how often its keys were.
    pub asked: BTreeMap<String, String>,
    pub keys_asked: usize,
    /// Where its description sends to.
    pub redirect: Option<String>,
}

pub struct Liar {
    pub issuer: String,
    pub says: Arc<Mutex<Says>>,
    key: EcdsaKeyPair,
}

pub fn part(value: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(value)
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap()
}

type Shared = (String, Value, Arc<Mutex<Says>>);

async fn describe(State((issuer, _, says)): State<Shared>) -> Response {
    let says = says.lock().unwrap();
    if let Some(redirect) = &says.redirect {
        return (StatusCode::FOUND, [(header::LOCATION, redirect.clone())]).into_response();
    }
    let mut description = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
    });
    for (name, value) in says.description.as_object().into_iter().flatten() {
        description[name] = value.clone();
    }
    Json(description).into_response()
}

async fn keys(State((_, keys, says)): State<Shared>) -> Json<Value> {
    says.lock().unwrap().keys_asked += 1;
    Json(keys)
}

async fn give_tokens(
    State((_, _, says)): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Json<Value> {
    let mut says = says.lock().unwrap();
    says.asked = form;
    let basic = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    says.asked.insert("authorization".into(), basic.unwrap_or_default());
    Json(json!({ "token_type": "Bearer", "id_token": says.id_token, "access_token": says.access_token }))
}

impl Liar {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = new_key();
        let public = key.public_key().as_ref().to_owned();
        let keys = json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "kid": KID,
            "x": part(&public[1..33]), "y": part(&public[33..]),
        }] });
        let says = Arc::new(Mutex::new(Says { access_token: "an access token".into(), ..Says::default() }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/jwks", get(self::keys))
            .route("/token", post(give_tokens))
            .with_state((issuer.clone(), keys, says.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer, says, key }
    }

    /// What an honest provider would say of somebody now.
    pub fn claims(&self, nonce: &str, now: i64) -> Value {
        json!({
            "iss": self.issuer, "sub": "248289761001", "aud": CLIENT_ID, "exp": now + 300, "iat": now,
            "nonce": nonce, "email": "jane@liar.example", "email_verified": true, "name": "Jane Doe",
        })
    }

    pub fn sign(&self, header: &Value, payload: &str) -> String {
        signed(&self.key, header, payload)
    }

    pub fn honest(&self, claims: &Value) -> String {
        self.sign(&json!({ "alg": "ES256", "kid": KID }), &claims.to_string())
    }

    /// By a key that is not the provider's.
    pub fn forged(&self, claims: &Value) -> String {
        signed(&new_key(), &json!({ "alg": "ES256", "kid": KID }), &claims.to_string())
    }

    /// By a secret that everybody knows: the public key, as bytes or as text.
    pub fn shared(&self, claims: &Value, as_text: bool) -> String {
        let public = self.key.public_key().as_ref();
        let key = if as_text {
            format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(public))
                .into_bytes()
        } else {
            public.to_vec()
        };
        let message = [json!({ "alg": "HS256", "kid": KID }), claims.clone()]
            .map(|json| part(json.to_string()))
            .join(".");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(message.as_bytes());
        format!("{message}.{}", part(mac.finalize().into_bytes()))
    }

    /// A browser goes there and comes back with some code, while the provider says what `lie` makes of the honest claims. What
    /// the page is told that asks for the session.
    pub async fn sign_in(
        &self,
        provider: &str,
        browser: &Browser,
        now: i64,
        lie: impl FnOnce(&Self, Value) -> String,
    ) -> Page {
        let asked = query(&browser.start(provider).await);
        self.says.lock().unwrap().id_token = lie(self, self.claims(&asked["nonce"], now));
        let arrived = browser.come_back(provider, &[("code", "c"), ("state", &asked["state"])]).await;
        assert_eq!(arrived.status, 303, "{arrived:?}");
        browser.sign_in(provider).await
    }
}

fn signed(key: &EcdsaKeyPair, header: &Value, payload: &str) -> String {
    let message = format!("{}.{}", part(header.to_string()), part(payload));
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", part(signature.as_ref()))
}
