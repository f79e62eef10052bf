//! The sandbox by itself, called as PayTR's documents say and without the adapter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use akademi_payment_sandbox::{Behaviour, Config, Handle, Merchant, serve};
use axum::{Router, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use ring::hmac;
use serde_json::{Value, json};

/// Body and, where there is one, the `Location`.
async fn exchange(url: String, content_type: &str, body: String) -> (u16, String, String) {
    let request = Request::post(url)
        .header(header::CONTENT_TYPE, content_type)
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let response = Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap();
    let location = response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap(), location.unwrap_or_default())
}

/// Signs `signed` in order with the salt behind it, and posts everything.
async fn call(sandbox: SocketAddr, path: &str, signed: &[(&str, &str)], others: &[(&str, &str)]) -> Value {
    let message: String = signed.iter().map(|(_, value)| *value).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"gizli");
    let token = STANDARD.encode(hmac::sign(&key, format!("{message}tuz").as_bytes()));
    let fields: Vec<_> =
        signed.iter().chain(others).chain([&("paytr_token", token.as_str())]).copied().collect();
    let body = serde_urlencoded::to_string(fields).unwrap();
    let form = "application/x-www-form-urlencoded";
    serde_json::from_str(&exchange(format!("http://{sandbox}{path}"), form, body).await.1).unwrap()
}

async fn start() -> (SocketAddr, Handle) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let shop = Router::new().route("/", post(async || "OK"));
    tokio::spawn(async move { axum::serve(listener, shop).await });
    let merchant = Merchant {
        merchant_id: "7".to_owned(),
        merchant_key: "gizli".to_owned(),
        merchant_salt: "tuz".to_owned(),
        callback_url: format!("http://magaza.localhost:{port}/"),
    };
    let behaviour = Behaviour { copies: 1, ..Behaviour::default() };
    serve(
        "127.0.0.1:0".parse().unwrap(),
        Config { merchants: vec![merchant], behaviour, ..Config::default() },
    )
    .await
    .unwrap()
}

async fn get_token(sandbox: SocketAddr, change: (&str, &str)) -> Value {
    let basket = STANDARD.encode(r#"[["Kurs","149.90",1]]"#);
    let value = |name, value| (name, if name == change.0 { change.1 } else { value });
    let signed = [
        value("merchant_id", "7"),
        value("user_ip", "203.0.113.7"),
        value("merchant_oid", "ORD1"),
        value("email", "a@example.com"),
        value("payment_amount", "14990"),
        value("user_basket", &basket),
        value("no_installment", "0"),
        value("max_installment", "0"),
        value("currency", "TL"),
        value("test_mode", "1"),
    ];
    let others = [
        value("user_name", "Ayşe"),
        value("user_address", "İzmir"),
        value("user_phone", "05550000000"),
        value("merchant_ok_url", "http://magaza.localhost/ok"),
        value("merchant_fail_url", "http://magaza.localhost/hata"),
    ];
    call(sandbox, "/odeme/api/get-token", &signed, &others).await
}

async fn pay(sandbox: SocketAddr) {
    let token = get_token(sandbox, ("", "")).await["token"].as_str().unwrap().to_owned();
    let page = format!("http://{sandbox}/odeme/guvenli/{token}");
    let paid = exchange(page, "application/x-www-form-urlencoded", "sonuc=ode".to_owned()).await;
    assert_eq!((paid.0, paid.2.as_str()), (303, "http://magaza.localhost/ok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_field_is_named_and_registers_nothing() {
    let (sandbox, _running) = start().await;
    let long = "a".repeat(401);
    for (field, value) in [
        ("merchant_id", "8"),
        ("user_ip", "192.168.1.4"),
        ("user_ip", "127.0.0.1"),
        ("user_ip", "::1"),
        ("user_ip", "evde"),
        ("merchant_oid", "ORD-1"),
        ("merchant_oid", &long[..65]),
        ("email", ""),
        ("payment_amount", "149.90"),
        ("payment_amount", "0"),
        ("payment_amount", "+5"),
        ("user_basket", "bozuk"),
        ("user_basket", "W1siS3VycyIsMTQ5OTAsMV1d"), // a price that is a number
        ("no_installment", "2"),
        ("max_installment", "1"),
        ("currency", "XYZ"),
        ("test_mode", "2"),
        ("user_name", ""),
        ("user_address", &long),
        ("user_phone", &long[..21]),
        ("merchant_ok_url", "/ok"),
    ] {
        let answer = get_token(sandbox, (field, value)).await;
        assert_eq!(answer["status"], "failed", "{field}={value}");
        assert!(answer["reason"].as_str().unwrap().ends_with(field), "{field}={value}: {answer}");
    }
    assert_eq!(get_token(sandbox, ("", "")).await["status"], "success");
    assert_eq!(get_token(sandbox, ("", "")).await["reason"], "merchant_oid daha once kullanildi");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_in_kurus_asks_a_hundred_times_as_much() {
    let (sandbox, _running) = start().await;
    pay(sandbox).await;
    let refund = async |amount: &str| {
        let signed = [("merchant_id", "7"), ("merchant_oid", "ORD1"), ("return_amount", amount)];
        call(sandbox, "/odeme/iade", &signed, &[("reference_no", "R1")]).await
    };
    assert_eq!(refund("4990").await["err_no"], "009");
    assert_eq!(refund("").await["err_no"], "003");
    assert_eq!(
        refund("49.90").await,
        json!({"status": "success", "is_test": 1, "merchant_oid": "ORD1", "return_amount": "49.90",
               "reference_no": "R1"})
    );
    let status =
        call(sandbox, "/odeme/durum-sorgu", &[("merchant_id", "7"), ("merchant_oid", "ORD1")], &[]).await;
    assert_eq!((&status["payment_amount"], &status["net_tutar"]), (&json!("149,9"), &json!("146.38")));
    assert_eq!(status["returns"][0]["amount"], "49.90");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_lists_sales_and_refunds_of_up_to_three_days() {
    let (sandbox, _running) = start().await;
    let report = async |start: &str, end: &str| {
        let signed = [("merchant_id", "7"), ("start_date", start), ("end_date", end)];
        call(sandbox, "/rapor/islem-dokumu", &signed, &[]).await
    };
    pay(sandbox).await;
    let signed = [("merchant_id", "7"), ("merchant_oid", "ORD1"), ("return_amount", "49.90")];
    call(sandbox, "/odeme/iade", &signed, &[]).await;
    let status =
        call(sandbox, "/odeme/durum-sorgu", &[("merchant_id", "7"), ("merchant_oid", "ORD1")], &[]).await;
    let paid_at = status["payment_date"].as_str().unwrap();
    let refunded_at = status["returns"][0]["date"].as_str().unwrap();

    let rows = report(paid_at, refunded_at).await;
    assert_eq!(rows["status"], "success");
    let kinds: Vec<_> = rows["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["islem_tipi"].clone(), row["islem_tutari"].clone(), row["siparis_no"].clone()))
        .collect();
    assert_eq!(
        kinds,
        [(json!("S"), json!("149,9"), json!("ORD1")), (json!("I"), json!("49,9"), json!("ORD1"))]
    );
    assert_eq!(report("2020-01-01 00:00:00", "2020-01-03 23:59:59").await["status"], "failed");
    assert_eq!(report("2020-01-01 00:00:00", "2020-01-04 00:00:01").await["status"], "error");
    assert_eq!(report("dün", "bugün").await["status"], "error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_behaviour_with_an_unknown_field_is_refused_and_an_empty_one_is_the_default() {
    let (sandbox, _running) = start().await;
    let url = format!("http://{sandbox}/sandbox/behaviour");
    let refused = exchange(url.clone(), "application/json", json!({"copys": 1}).to_string()).await;
    assert_eq!(refused.0, 422);
    let reset = exchange(url, "application/json", "{}".to_owned()).await;
    let behaviour: Behaviour = serde_json::from_str(&reset.1).unwrap();
    assert_eq!(behaviour, Behaviour::default());
    assert_eq!((behaviour.copies, behaviour.before_return), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_can_be_added_while_running() {
    let (sandbox, _running) = start().await;
    assert_eq!(get_token(sandbox, ("merchant_id", "9")).await["status"], "failed");
    let merchant = json!({"merchant_id": "9", "merchant_key": "gizli", "merchant_salt": "tuz",
                          "callback_url": "http://magaza.localhost/"});
    let added =
        exchange(format!("http://{sandbox}/sandbox/merchants"), "application/json", merchant.to_string())
            .await;
    assert_eq!(added.0, 204);
    assert_eq!(get_token(sandbox, ("merchant_id", "9")).await["status"], "success");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_sandbox_does_not_listen() {
    let (sandbox, running) = start().await;
    assert!(tokio::net::TcpStream::connect(sandbox).await.is_ok());
    drop(running);
    while tokio::net::TcpStream::connect(sandbox).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn the_sandbox_shares_no_code_with_what_it_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let used: Vec<_> = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .filter(|line| line.starts_with("akademi-") || line.starts_with("hmac"))
        .collect();
    assert_eq!(used, [""; 0]);
}

/// Signs as docs.iyzico.com says and posts.
async fn iyzico(sandbox: SocketAddr, path: &str, random: &str, body: &Value, change: &str) -> Value {
    let text = body.to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"gizli");
    let signature = hmac::sign(&key, format!("{random}{path}{text}").as_bytes());
    let signature: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let credentials = STANDARD.encode(format!("apiKey:anahtar&randomKey:{random}&signature:{signature}"));
    let request = Request::post(format!("http://{sandbox}{path}"))
        .header(header::AUTHORIZATION, format!("IYZWSv2 {credentials}"))
        .header("x-iyzi-rnd", random)
        .body(Full::new(Bytes::from(format!("{text}{change}"))))
        .unwrap();
    let response = Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap();
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn iyzico_takes_what_is_signed_once_and_sums_up() {
    let (sandbox, _running) = start().await;
    let merchant = json!({"merchant_id": "1", "api_key": "anahtar", "secret_key": "gizli",
                          "webhook_url": "http://magaza.localhost/"});
    let url = format!("http://{sandbox}/sandbox/iyzico-merchants");
    assert_eq!(exchange(url, "application/json", merchant.to_string()).await.0, 204);
    let address =
        json!({"contactName": "Ayşe Işık", "city": "İzmir", "country": "Turkey", "address": "Konak"});
    let body = json!({
        "locale": "tr", "conversationId": "C1", "basketId": "B1", "price": "120.5", "paidPrice": "120.5",
        "currency": "TRY", "callbackUrl": "http://magaza.localhost/donus", "billingAddress": address,
        "buyer": {"id": "1", "name": "Ayşe", "surname": "Işık", "identityNumber": "11111111111",
                  "email": "a@example.com", "gsmNumber": "05550000000", "registrationAddress": "Konak",
                  "city": "İzmir", "country": "Turkey", "ip": "203.0.113.7"},
        "basketItems": [{"id": "1", "name": "Kurs", "category1": "Eğitim", "itemType": "VIRTUAL", "price": "120.5"}],
    });
    let path = "/payment/iyzipos/checkoutform/initialize/auth/ecom";
    let with = |pointer: &str, value: Value| {
        let mut body = body.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (n, (changed, code)) in [
        (with("/paidPrice", json!("120.4")), "5005"),
        (with("/basketItems/0/price", json!("120.4")), "5062"),
        (with("/basketItems/0/price", json!("0")), "5005"),
        (with("/basketItems/0/itemType", json!("SANAL")), "11"),
        (with("/price", json!("120,5")), "11"),
        (with("/currency", json!("TL")), "11"),
        (with("/callbackUrl", json!("/donus")), "11"),
        (with("/buyer/gsmNumber", json!("")), "11"),
        (with("/buyer/identityNumber", json!(null)), "11"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = iyzico(sandbox, path, &format!("n{n}"), &changed, "").await;
        assert_eq!(
            (answer["status"].as_str(), answer["errorCode"].as_str()),
            (Some("failure"), Some(code)),
            "{n}"
        );
    }
    assert_eq!(
        iyzico(sandbox, path, "a", &body, " ").await["errorCode"],
        "1000",
        "other bytes than were signed"
    );
    assert_eq!(iyzico(sandbox, path, "b", &body, "").await["status"], "success");
    assert_eq!(iyzico(sandbox, path, "b", &body, "").await["errorCode"], "1000", "the random text is used");
    let unsigned = exchange(format!("http://{sandbox}{path}"), "application/json", body.to_string()).await;
    assert_eq!(serde_json::from_str::<Value>(&unsigned.1).unwrap()["errorCode"], "1009");
}
