//! ID tokens that say what they may not.

use serde_json::{Value, json};

use crate::{
    browser::query,
    liar::{KID, Liar, part},
    world::{CLIENT_ID, World},
};

const PEOPLE: &str = "SELECT count(*) FROM person";
const SESSIONS: &str = "SELECT count(*) FROM session";

type Lie = fn(&Liar, Value) -> String;

fn with(liar: &Liar, mut claims: Value, name: &str, value: Value) -> String {
    claims[name] = value;
    liar.honest(&claims)
}

fn later(claims: &Value, name: &str, seconds: i64) -> Value {
    json!(claims[name].as_i64().unwrap() + seconds)
}

const LIES: &[(&str, Lie)] = &[
    ("the nonce of another sign-in", |liar, claims| with(liar, claims, "nonce", json!("another"))),
    ("no nonce", |liar, claims| with(liar, claims, "nonce", Value::Null)),
    ("for another client", |liar, claims| with(liar, claims, "aud", json!("another"))),
    ("for others", |liar, claims| with(liar, claims, "aud", json!(["another", "third"]))),
    ("for two without saying whose", |liar, claims| with(liar, claims, "aud", json!([CLIENT_ID, "another"]))),
    ("made for another", |liar, claims| with(liar, claims, "azp", json!("another"))),
    ("of another issuer", |liar, claims| with(liar, claims, "iss", json!("https://accounts.google.com"))),
    ("of nearly this issuer", |liar, claims| {
        let issuer = format!("{}/", liar.issuer);
        with(liar, claims, "iss", json!(issuer))
    }),
    ("expired", |liar, claims| {
        let exp = later(&claims, "iat", -61);
        with(liar, claims, "exp", exp)
    }),
    ("of the future", |liar, claims| {
        let iat = later(&claims, "iat", 120);
        with(liar, claims, "iat", iat)
    }),
    ("not good yet", |liar, claims| {
        let nbf = later(&claims, "iat", 120);
        with(liar, claims, "nbf", nbf)
    }),
    ("old", |liar, claims| {
        let iat = later(&claims, "iat", -700);
        with(liar, claims, "iat", iat)
    }),
    ("without an end", |liar, claims| with(liar, claims, "exp", Value::Null)),
    ("of nobody", |liar, claims| with(liar, claims, "sub", json!(""))),
    ("with another access token", |liar, claims| {
        with(liar, claims, "at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"))
    }),
    ("unsigned", |_, claims| {
        format!("{}.{}.", part(json!({ "alg": "none" }).to_string()), part(claims.to_string()))
    }),
    ("said to be unsigned, with a signature", |liar, claims| {
        liar.sign(&json!({ "alg": "none", "kid": KID }), &claims.to_string())
    }),
    ("signed with the public key", |liar, claims| liar.shared(&claims, false)),
    ("signed with the public key's text", |liar, claims| liar.shared(&claims, true)),
    ("signed by somebody else", |liar, claims| liar.forged(&claims)),
    ("under an unknown key", |liar, claims| {
        liar.sign(&json!({ "alg": "ES256", "kid": "k2" }), &claims.to_string())
    }),
    ("under a key of another kind", |liar, claims| {
        liar.sign(&json!({ "alg": "RS256", "kid": KID }), &claims.to_string())
    }),
    ("with a key of its own", |liar, claims| {
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": part([1; 32]), "y": part([1; 32]) });
        liar.sign(&json!({ "alg": "ES256", "kid": "own", "jwk": jwk }), &claims.to_string())
    }),
    ("with what must be understood", |liar, claims| {
        liar.sign(&json!({ "alg": "ES256", "kid": KID, "crit": ["b64"], "b64": false }), &claims.to_string())
    }),
    ("said twice", |liar, claims| {
        let twice = claims.to_string().replacen('{', r#"{"aud":"another","#, 1);
        liar.sign(&json!({ "alg": "ES256", "kid": KID }), &twice)
    }),
    ("changed after it was signed", |liar, claims| {
        let honest = liar.honest(&claims);
        let (_, signature) = honest.rsplit_once('.').unwrap();
        let mut changed = claims;
        changed["sub"] = json!("1");
        let header = honest.split('.').next().unwrap();
        format!("{header}.{}.{signature}", part(changed.to_string()))
    }),
    ("long", |liar, claims| with(liar, claims, "name", json!("a".repeat(100_000)))),
    ("no token", |_, _| "abc".into()),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_says_what_it_may_not_signs_nobody_in() {
    let (world, liar) = (World::new(&["127.0.0.1"]).await, Liar::start().await);
    world.with_oidc("liar", &liar.issuer).await;
    let now = || world.local.edge.ports.now().as_seconds();
    let before = (world.count(PEOPLE).await, world.count(SESSIONS).await);
    for (name, lie) in LIES {
        let told = liar.sign_in("liar", &world.browser(), now(), lie).await;
        assert_eq!((told.status, told.slug().as_str()), (403, "provider-refused"), "{name}");
    }
    assert_eq!((world.count(PEOPLE).await, world.count(SESSIONS).await), before);
    println!("{} lies", LIES.len());
    world.carry().await;
    assert!(world.audited().await.contains(&"sign_in.failed".to_owned()));

    // What is true is believed: the clocks may lie a little apart, and others may be told too.
    let truths: [Lie; 4] = [
        |liar, claims| liar.honest(&claims),
        |liar, mut claims| {
            claims["exp"] = later(&claims, "iat", -30);
            liar.honest(&claims)
        },
        |liar, mut claims| {
            (claims["aud"], claims["azp"]) = (json!([CLIENT_ID, "another"]), json!(CLIENT_ID));
            liar.honest(&claims)
        },
        |liar, claims| liar.sign(&json!({ "alg": "ES256" }), &claims.to_string()),
    ];
    for truth in truths {
        liar.sign_in("liar", &world.browser(), now(), truth).await.expect(200);
    }
    assert_eq!(world.count(PEOPLE).await, before.0 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_is_asked_is_this_browsers_and_its_keys_are_kept() {
    let (world, liar) = (World::new(&["127.0.0.1"]).await, Liar::start().await);
    world.with_oidc("liar", &liar.issuer).await;
    let now = world.local.edge.ports.now().as_seconds();
    let browser = world.browser();
    let address = browser.start("liar").await;
    let asked = query(&address);
    assert!(address.starts_with(&format!("{}/authorize?", liar.issuer)));
    let callback = format!("{}/api/v1/auth/providers/liar/callback", world.address());
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("scope", "openid email profile"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", callback.as_str()),
    ] {
        assert_eq!(asked[name], value);
    }
    liar.says.lock().unwrap().id_token = liar.honest(&liar.claims(&asked["nonce"], now));
    browser.come_back("liar", &[("code", "c"), ("state", &asked["state"])]).await;
    browser.sign_in("liar").await.expect(200);
    let form = liar.says.lock().unwrap().asked.clone();
    let challenge = ring::digest::digest(&ring::digest::SHA256, form["code_verifier"].as_bytes());
    assert_eq!(part(challenge), asked["code_challenge"]);
    assert_eq!((form["code"].as_str(), form["redirect_uri"].as_str()), ("c", callback.as_str()));
    assert!(form["authorization"].starts_with("Basic "), "the secret stands in the header alone");
    assert!(!form.contains_key("client_secret"));

    // One look at the keys, and no second one within a minute whatever key is named.
    for _ in 0..3 {
        let another = |liar: &Liar, claims: Value| {
            liar.sign(&json!({ "alg": "ES256", "kid": "new" }), &claims.to_string())
        };
        liar.sign_in("liar", &world.browser(), now, another).await.expect(403);
    }
    assert_eq!(liar.says.lock().unwrap().keys_asked, 1);
}
