//! Codes of an app, recovery codes, step-up.

use akademi_domain::mail::MailKind;
use http::Method;
use serde_json::{Value, json};
use totp_rs::{Algorithm, Secret, TOTP};

use crate::world::{EMAIL, PASSWORD, TOO_MANY, World, at_once, from};

const PATH: &str = "/api/v1/users/me/second-factor";

/// The app.
struct App(TOTP);

impl App {
    fn new(setup: &Value) -> Self {
        let secret = Secret::Encoded(setup["secret"].as_str().unwrap().to_owned()).to_bytes().unwrap();
        Self(TOTP::new(Algorithm::SHA1, 6, 1, 30, secret).unwrap())
    }

    fn code(&self, world: &World) -> String {
        self.0.generate(u64::try_from(world.now().as_seconds()).unwrap())
    }
}

/// Somebody whose second factor is on; the app and the recovery codes.
async fn with_second_factor(world: &World) -> (App, Vec<String>) {
    let device = from("192.0.2.1");
    let device = device.with(&world.join(&device, EMAIL, PASSWORD).await);
    let setup = world.post(&device, &format!("{PATH}/setup"), Value::Null).await.expect(200);
    let uri = setup["uri"].as_str().unwrap();
    assert!(
        uri.starts_with("otpauth://totp/%C3%9Cmraniye%20A%C3%A7%C4%B1k%20Akademi:sukru%40example%2Eorg?"),
        "{uri}"
    );
    let app = App::new(&setup);
    let on = |code: String| json!({ "setup_token": setup["setup_token"], "code": code });
    world.send(&device, Method::PUT, PATH, on("000000".into())).await.expect(422);
    let codes = world.send(&device, Method::PUT, PATH, on(app.code(world))).await.expect(200);
    assert_eq!(world.mails().last().unwrap().0, MailKind::SecondFactorChanged);
    let codes = codes["recovery_codes"].as_array().unwrap();
    world.wait(30);
    (app, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

async fn challenge(world: &World) -> Value {
    world.login(&from("192.0.2.1"), EMAIL, PASSWORD).await.expect(202)["second_factor_token"].clone()
}

#[tokio::test]
async fn a_code_signs_in_once() {
    let world = World::new();
    let (app, _) = with_second_factor(&world).await;
    let token = challenge(&world).await;
    let answer = async |token: &Value, code: &str| {
        let body = json!({ "second_factor_token": token, "code": code });
        world.post(&from("192.0.2.1"), "/api/v1/auth/second-factor", body).await
    };
    assert_eq!(answer(&token, "000000").await.slug(), "/problems/wrong-code");
    let code = app.code(&world);
    let tokens = answer(&token, &code).await.expect(200);
    world.me(&from("192.0.2.1").with(&tokens)).await.expect(200);
    assert_eq!(answer(&token, &code).await.slug(), "/problems/wrong-code", "it was used");
    world.wait(300);
    answer(&token, &app.code(&world)).await.expect(401);
    assert_eq!(answer(&json!("made up"), &app.code(&world)).await.slug(), "/problems/token-invalid");
    assert!(world.audited().contains(&"second_factor.failed".to_owned()));
}

/// Four use one recovery code at the same moment; what each is told, and how many codes are left.
async fn race_for_a_code(is_lax: bool) -> (Vec<u16>, i64) {
    let world = World::new();
    let (_, codes) = with_second_factor(&world).await;
    assert_eq!(codes.len(), 10);
    let token = challenge(&world).await;
    let body = json!({ "second_factor_token": token, "code": codes[3].to_uppercase() });
    let racing = world.racing("totp_secret, totp_step", 4, is_lax);
    let told = at_once(&racing, &from("192.0.2.1"), "/api/v1/auth/second-factor", vec![body; 4]).await;
    (told, world.count("SELECT count(*) FROM recovery_code"))
}

#[tokio::test]
async fn a_recovery_code_stands_in_once_however_many_try_it() {
    assert_eq!(race_for_a_code(false).await, (vec![200, 401, 401, 401], 9));
    assert_eq!(
        race_for_a_code(true).await,
        (vec![200; 4], 9),
        "without its condition each of them is let in"
    );
}

#[tokio::test]
async fn guessing_codes_is_slowed_down() {
    let world = World::new();
    let (app, _) = with_second_factor(&world).await;
    let token = challenge(&world).await;
    let guess = async |code: &str| {
        let body = json!({ "second_factor_token": token, "code": code });
        world.post(&from("203.0.113.9"), "/api/v1/auth/second-factor", body).await
    };
    let mut admitted = 0;
    while guess("000000").await.status == 401 {
        admitted += 1;
    }
    assert_eq!(admitted, 6, "five are free, the sixth has a delay after it");
    assert_eq!(guess(&app.code(&world)).await.status, TOO_MANY, "nor does the right one help then");
    world.wait(10);
    guess(&app.code(&world)).await.expect(200);
}

#[tokio::test]
async fn dangerous_acts_ask_once_more_who_it_is() {
    let world = World::new();
    let device = from("192.0.2.1");
    let device = device.with(&world.join(&device, EMAIL, PASSWORD).await);
    world.wait(14 * 60);
    world.post(&device, &format!("{PATH}/setup"), Value::Null).await.expect(200);
    world.wait(61);
    let device = device.with(&world.login(&from("192.0.2.5"), EMAIL, PASSWORD).await.expect(200));
    world.wait(14 * 60);
    let refused = world.post(&device, &format!("{PATH}/setup"), Value::Null).await;
    assert_eq!(refused.status, 200);
    world.wait(59);
    let step_up = async |body: Value| world.post(&device, "/api/v1/auth/step-up", body).await;
    step_up(json!({ "password": "yanlış parola" })).await.expect(422);
    step_up(json!({})).await.expect(422);
    world.execute("UPDATE session SET authenticated_at = 0");
    let refused = world.post(&device, &format!("{PATH}/setup"), Value::Null).await;
    assert_eq!((refused.status, refused.slug()), (403, "/problems/step-up-required"));
    step_up(json!({ "password": PASSWORD })).await.expect(204);
    world.post(&device, &format!("{PATH}/setup"), Value::Null).await.expect(200);
}

#[tokio::test]
async fn with_a_second_factor_stepping_up_takes_a_code_and_switching_off_is_told() {
    let world = World::new();
    let (app, codes) = with_second_factor(&world).await;
    let body = json!({ "second_factor_token": challenge(&world).await, "code": app.code(&world) });
    let tokens = world.post(&from("192.0.2.1"), "/api/v1/auth/second-factor", body).await.expect(200);
    let device = from("192.0.2.1").with(&tokens);
    world.execute("UPDATE session SET authenticated_at = 0");
    world.send(&device, Method::DELETE, PATH, Value::Null).await.expect(403);
    let step_up = async |body: Value| world.post(&device, "/api/v1/auth/step-up", body).await;
    step_up(json!({ "password": PASSWORD })).await.expect(422);
    step_up(json!({ "code": codes[0] })).await.expect(204);
    world.send(&device, Method::DELETE, PATH, Value::Null).await.expect(204);
    assert_eq!(world.count("SELECT count(*) FROM recovery_code"), 0);
    assert_eq!(world.mails().last().unwrap().0, MailKind::SecondFactorChanged);
    world.login(&device, EMAIL, PASSWORD).await.expect(200);
}
