//! Tokens that are not what they seem, and requests that mean harm.

use akademi_api::Caller;
use akademi_domain::permission::Permissions;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use serde_json::{Value, json};

use crate::world::{EMAIL, From, HOST, OTHER_HOST, PASSWORD, World, from};

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[tokio::test]
async fn no_made_up_or_borrowed_token_passes() {
    let world = World::new();
    let home = from("192.0.2.1");
    let tokens = world.join(&home, EMAIL, PASSWORD).await;
    let token = tokens["access_token"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    let kid = header["kid"].as_str().unwrap();
    let jwks = world.send(&home, Method::GET, "/.well-known/jwks.json", Value::Null).await.expect(200);
    let public = URL_SAFE_NO_PAD.decode(jwks["keys"][0]["x"].as_str().unwrap()).unwrap();

    let hs256 =
        format!("{}.{}", encoded(&json!({ "alg": "HS256", "kid": kid, "typ": "JWT" }).to_string()), parts[1]);
    let mac = akademi_seal::hmac(&public.try_into().unwrap(), hs256.as_bytes());
    let signer = world.signer();
    let other_key =
        akademi_api::token::TokenSigner::from_config(&format!("{kid}:{}", URL_SAFE_NO_PAD.encode([7; 32])));
    let unknown =
        akademi_api::token::TokenSigner::from_config(&format!("other:{}", URL_SAFE_NO_PAD.encode([7; 32])));
    let me = world.me(&home.with(&tokens)).await.expect(200);
    let person = me["id"].as_str().unwrap().parse().unwrap();
    let session = claims["sid"].as_str().unwrap().parse().unwrap();
    let caller = |number| Caller {
        tenant: crate::world::tenant(number),
        user: person,
        session,
        permissions: Permissions::NONE,
    };
    let now = world.now();
    let changed = |field: &str, value: Value| {
        let mut claims = claims.clone();
        claims[field] = value;
        format!("{}.{}.{}", parts[0], encoded(&claims.to_string()), parts[2])
    };
    let doubled = claims.to_string().replacen('{', "{\"prm\":4095,", 1);
    let bad = [
        ("alg none", format!("{}.{}.", encoded(&json!({ "alg": "none", "kid": kid }).to_string()), parts[1])),
        ("HS256 under the public key", format!("{hs256}.{}", URL_SAFE_NO_PAD.encode(mac))),
        ("another key under the same kid", other_key.unwrap().sign(&caller(1), now, [1; 16]).unwrap()),
        ("an unknown kid", unknown.unwrap().sign(&caller(1), now, [1; 16]).unwrap()),
        ("another academy's", signer.sign(&caller(2), now, [1; 16]).unwrap()),
        ("expired", signer.sign(&caller(1), now.plus_seconds(-15 * 60 - 31), [1; 16]).unwrap()),
        ("not yet valid", signer.sign(&caller(1), now.plus_seconds(31), [1; 16]).unwrap()),
        ("another audience", changed("aud", json!("somebody"))),
        ("another issuer", changed("iss", json!(crate::world::tenant(2)))),
        ("more permissions", changed("prm", json!(4095))),
        ("doubled claims", format!("{}.{}.{}", parts[0], encoded(&doubled), parts[2])),
        ("1 MB", format!("{token}{}", "A".repeat(1 << 20))),
        ("a signature cut off", token[..token.len() - 4].to_owned()),
        ("nothing", String::new()),
    ];
    for (name, token) in bad {
        let who = From { token: Some(token), ..home.clone() };
        let refused = if name == "1 MB" { 431 } else { 401 };
        assert_eq!(world.me(&who).await.status, refused, "{name}");
    }
    // Within the leeway.
    for seconds in [-15 * 60 - 29, 29] {
        let token = signer.sign(&caller(1), now.plus_seconds(seconds), [1; 16]).unwrap();
        let who = From { token: Some(token), ..home.clone() };
        assert_eq!(world.me(&who).await.status, 200, "{seconds}");
    }
}

#[tokio::test]
async fn nobody_gives_themselves_a_role_or_another_academy() {
    let world = World::new();
    let home = from("192.0.2.1");
    let person = json!({ "name": "A", "email": "a@example.org", "password": PASSWORD });
    for (field, value) in [
        ("role", json!("tenant_admin")),
        ("roles", json!(["tenant_admin"])),
        ("permissions", json!(4095)),
        ("tenant_id", json!(crate::world::tenant(2))),
        ("state", json!("active")),
    ] {
        let mut body = person.clone();
        body[field] = value.clone();
        assert_eq!(world.post(&home, "/api/v1/auth/register", body).await.status, 422, "{field}");
        let tokens = world.join(&home, &format!("{field}@example.org").replace('_', ""), PASSWORD).await;
        let mut change = json!({ "name": "B" });
        change[field] = value;
        let answer = world.send(&home.with(&tokens), Method::PATCH, "/api/v1/users/me", change).await;
        assert_eq!(answer.status, 422, "{field}");
    }
    assert_eq!(world.count("SELECT count(*) FROM role_assignment WHERE role <> 'student'"), 0);
}

#[tokio::test]
async fn the_link_in_a_mail_leads_to_the_academy_whatever_the_request_says() {
    let world = World::new();
    let forgot = async |host: &'static str| {
        let who = From { host, ..from("192.0.2.1") };
        world.post(&who, "/api/v1/auth/forgot-password", json!({ "email": EMAIL })).await.status
    };
    world.join(&from("192.0.2.1"), EMAIL, PASSWORD).await;
    assert_eq!(forgot("evil.example").await, 404);
    assert_eq!(forgot("one.example@evil.example").await, 404);
    assert_eq!(forgot("one.example:8443").await, 202);
    assert_eq!(forgot(OTHER_HOST).await, 202);
    let hosts: Vec<_> = world
        .events()
        .into_iter()
        .filter_map(|(_, event)| match event {
            akademi_feed::EdgeEvent::MailWanted { host, .. } => Some(host),
            _ => None,
        })
        .collect();
    assert_eq!(
        hosts,
        [HOST, HOST],
        "no port that a stranger chose, and none for an address without an account"
    );
}

#[tokio::test]
async fn a_sign_in_makes_a_session_of_its_own() {
    let world = World::new();
    let home = from("192.0.2.1");
    let first = world.join(&home, EMAIL, PASSWORD).await;
    // Signing in while signed in goes on with nobody's session.
    let second = world.login(&home.with(&first), EMAIL, PASSWORD).await.expect(200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(world.count("SELECT count(*) FROM session"), 2);
    for evil in ["' OR 1=1 --@example.org", "a\r\nBcc: b@example.org", "a@example.org\0"] {
        assert_eq!(world.login(&home, evil, PASSWORD).await.status, 422, "{evil:?}");
    }
}
