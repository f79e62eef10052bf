//! A payment from the order to the provider's callback, through API Gateway on both hosts.

use akademi_api::{
    config::Config,
    ports::Wake,
    quote::{QUOTE_SECONDS, QuoteKeys, QuoteTerms},
};
use akademi_domain::{
    money::{Currency, Money},
    permission::Permissions,
    pricing::{self, BasisPoints, Line},
};
use akademi_lambda::http_client::Network;
use akademi_payment_sandbox::{Handle, Merchant, serve};
use akademi_payments::{
    Payments,
    paytr::{PayTrConfig, Secret},
};
use akademi_runtime_api::queue::Sent;
use akademi_seal::{PersonKey, Vault};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use http::{Method, Request, header};
use serde_json::json;
use sha2::Sha256;
use std::sync::Arc;

use crate::{
    api_gateway::{Call, Gateway, forward, json},
    world::{World, course, person, tenant},
};

const KEY: &str = "demoMerchantKey1";
const SALT: &str = "demoMerchantSalt";

struct Deaf;

impl Wake for Deaf {
    fn wake(&self) {}
}

/// The academy's account at a sandbox of PayTR; the path of its callback.
async fn connect(world: &World) -> (String, Handle) {
    let merchant = Merchant {
        merchant_id: "100200".into(),
        merchant_key: KEY.into(),
        merchant_salt: SALT.into(),
        callback_url: "http://platform.localhost:9/".into(),
    };
    let config = akademi_payment_sandbox::Config { merchants: vec![merchant], ..Default::default() };
    let (address, sandbox) = serve("127.0.0.1:0".parse().unwrap(), config).await.unwrap();
    let lookup = |name: &str| world.variables.get(name).cloned();
    let payments = Payments::new(
        world.ports.clone(),
        world.planes(),
        world.database.postgres().clone(),
        Network::new(),
        Arc::new(Deaf),
        &Config::new(&lookup),
    )
    .unwrap();
    let account = PayTrConfig {
        merchant_id: "100200".into(),
        merchant_key: Secret::new(KEY),
        merchant_salt: Secret::new(SALT),
        base_url: format!("http://{address}").parse().unwrap(),
        test_mode: true,
        page_minutes: 30,
        private_buyer_address: Some("203.0.113.7".parse().unwrap()),
    };
    (payments.configure(tenant(), account).await.unwrap(), sandbox)
}

/// The buyer, as `sync` brings people.
async fn add_person(world: &World) {
    let (vault, key) =
        (Vault::from_config(&world.variables["lambda_master_key"]).unwrap(), PersonKey::from_bytes([5; 32]));
    let profile = json!({ "name": "Şükrü Iğdır", "email": "ogrenci@example.com" }).to_string();
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query("INSERT INTO person (tenant_id, id, sealed_profile, state, updated_at) VALUES ($1, $2, $3, 'active', 0)")
        .bind(tenant().as_uuid())
        .bind(person().as_uuid())
        .bind(key.seal(person(), "profile", profile.as_bytes(), [6; 24]))
        .execute(&mut superuser)
        .await
        .unwrap();
    sqlx::query("INSERT INTO person_key (tenant_id, user_id, wrapped) VALUES ($1, $2, $3)")
        .bind(tenant().as_uuid())
        .bind(person().as_uuid())
        .bind(vault.wrap_key(tenant(), person(), &key, [7; 24]))
        .execute(&mut superuser)
        .await
        .unwrap();
}

/// What the edge quotes for the course.
fn quote(world: &World, amount: i64) -> String {
    let price = Money { amount, currency: Currency::TRY };
    let line = Line { course: course(), price, vat_rate: BasisPoints::new(2000).unwrap() };
    let now = world.ports.now();
    let priced = pricing::quote(&[line], None, now).unwrap();
    let terms = QuoteTerms::new(tenant(), person(), &priced, None, now.plus_seconds(QUOTE_SECONDS));
    QuoteKeys::from_config(&world.variables["plane_root_keys"]).unwrap().sign(&terms).unwrap()
}

/// A capture as PayTR signs it, on the platform's host.
fn callback(path: &str, oid: &str, total: i64, told: i64) -> Request<Bytes> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(format!("{oid}{SALT}success{total}").as_bytes());
    let (asked, told) = (total.to_string(), told.to_string());
    let form = serde_urlencoded::to_string([
        ("merchant_oid", oid),
        ("status", "success"),
        ("total_amount", &told),
        ("hash", &STANDARD.encode(mac.finalize().into_bytes())),
        ("payment_amount", &asked),
        ("currency", "TL"),
        ("test_mode", "1"),
    ]);
    Request::post(format!("https://platform.example.com{path}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form.unwrap()))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_on_the_platforms_host_pays_an_order_once() {
    let world = World::new().await;
    let (path, _sandbox) = connect(&world).await;
    add_person(&world).await;
    let payments = world.start(env!("CARGO_BIN_EXE_payments")).await;
    let price = format!("/api/v1/commerce/courses/{}/price", course());
    let body = json!({ "amount": 14990, "currency": "TRY", "vat_basis_points": 2000 });
    let set = forward(&world, &payments, Call::staff(Method::PUT, &price).body(body)).await;
    assert_eq!(set.status(), 200);
    let body = json!({
        "quote": quote(&world, 14990), "buyer": { "phone": "05550000000", "address": "Ümraniye, İstanbul" },
    });
    let order = Call {
        permissions: Permissions::NONE,
        idempotency_key: Some("anahtar"),
        ..Call::staff(Method::POST, "/api/v1/orders").body(body)
    };
    let made = forward(&world, &payments, order).await;
    assert_eq!(made.status(), 201, "{:?}", made.body());
    let oid = world.texts("SELECT replace(id::text, '-', '') FROM payment").await.remove(0);

    let gateway = Gateway(&payments.api);
    let forged = gateway.exchange(callback(&path, &oid, 14990, 149_900)).await.unwrap();
    assert_eq!(forged.status(), 400);
    let stranger = gateway.exchange(callback("/callbacks/paytr/00", &oid, 14990, 14990)).await.unwrap();
    assert_eq!(stranger.status(), 404);
    world.queues.take();
    for _ in 0..2 {
        let paid = gateway.exchange(callback(&path, &oid, 14990, 14990)).await.unwrap();
        assert_eq!((paid.status().as_u16(), paid.body().as_ref()), (200, b"OK".as_slice()));
    }
    let at_once: Vec<Sent> = world.queues.take().into_iter().filter(|sent| sent.delay_seconds == 0).collect();
    assert_eq!(at_once.len(), 1, "sync is woken once: {at_once:?}");
    let target = format!("/api/v1/orders/{}", json(&made)["id"].as_str().unwrap());
    let shown = forward(&world, &payments, Call::staff(Method::GET, &target)).await;
    assert_eq!(json(&shown)["state"], "paid");
    assert_eq!(world.number("SELECT count(*) FROM ledger_transaction").await, 1);
    let log = payments.binary.log_with(r#""route":"/api/v1/orders/{order_id}""#).await.unwrap().join("\n");
    assert!(!log.contains("ogrenci@example.com") && !log.contains("Şükrü") && !log.contains(&path), "{log}");
}
