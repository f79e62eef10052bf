//! Two academies on one edge, and a learner of one of them.

use akademi_api::{
    links::LinkKeys,
    signed::{CallContext, PlaneKeys, Purpose},
};
use akademi_domain::{mail::LinkPurpose, time::Timestamp};
use akademi_worker_host::Running;
use rustix::process::test_kill_process_group;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use ureq::http::Method;

use crate::client::{KADIKOY, UMRANIYE, get, post, start, variables};

const NAME: &str = "Şükrü Iğdır Çağlayangöl";

#[test]
fn a_learner_registers_signs_in_and_stays_within_one_academy() {
    let running = start(variables());
    assert_eq!(get(&running, "any.host", "/health/live").send().expect(200), json!({ "status": "live" }));

    let nowhere = get(&running, "nobody.localhost", "/api/v1/academy").send();
    assert_eq!(nowhere.text("content-type"), "application/problem+json");
    assert_eq!(nowhere.expect(404)["type"], "/problems/unknown-academy");
    for (host, name) in [(UMRANIYE, "Ümraniye Akademi"), (KADIKOY, "Kadıköy Akademi")] {
        let with_port = format!("{host}:8787");
        for host in [host, &with_port] {
            assert_eq!(get(&running, host, "/api/v1/academy").send().expect(200)["name"], name, "{host}");
        }
    }
    let fresh = get(&running, UMRANIYE, "/api/v1/academy").send();
    assert_eq!(fresh.text("content-length"), fresh.body.to_string().len().to_string());
    let etag = fresh.text("etag").to_owned();
    get(&running, UMRANIYE, "/api/v1/academy").header("if-none-match", etag).send().expect(304);

    let person = json!({ "name": NAME, "email": "sukru@example.org", "password": "uzun bir parola 1" });
    let register = || post(&running, UMRANIYE, "/api/v1/auth/register", person.clone()).send();
    register().expect(202);
    let (person, token) = confirmation(&running);
    let confirm = || post(&running, UMRANIYE, "/api/v1/auth/confirm", json!({ "token": token })).send();
    confirm().expect(204);
    assert_eq!(confirm().expect(404)["type"], "/problems/link-invalid");
    register().expect(202);

    let login = json!({ "email": "sukru@example.org", "password": "uzun bir parola 1" });
    let tokens = post(&running, UMRANIYE, "/api/v1/auth/login", login.clone()).send().expect(200);
    post(&running, KADIKOY, "/api/v1/auth/login", login).send().expect(401);
    let me = |host, tokens: &Value| {
        get(&running, host, "/api/v1/users/me").bearer(tokens["access_token"].as_str().unwrap()).send()
    };
    let mine = me(UMRANIYE, &tokens).expect(200);
    assert_eq!((&mine["name"], &mine["id"]), (&json!(NAME), &person));
    me(KADIKOY, &tokens).expect(401);

    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    let next = post(&running, UMRANIYE, "/api/v1/auth/refresh", refresh).send().expect(200);
    assert_ne!(next["refresh_token"], tokens["refresh_token"]);
    me(UMRANIYE, &next).expect(200);

    // What other hosts take, this one takes too.
    get(&running, UMRANIYE, "/api/v1/academy").header("accept-language", "türkçe").send().expect(200);
    get(&running, UMRANIYE, "/api/v1/nothing").send().expect(404);

    let (output, group) = (running.output(), running.process_group().unwrap());
    drop(running);
    assert!(test_kill_process_group(group).is_err(), "something was left running");
    let log = output.text();
    let lines = log.lines().filter(|line| line.starts_with('{'));
    let lines = lines.map(|line| serde_json::from_str(line).unwrap());
    let registered: Vec<Value> =
        lines.filter(|line: &Value| line["route"] == "/api/v1/auth/register").collect();
    assert_eq!(registered.iter().map(|line| &line["status"]).collect::<Vec<_>>(), [202, 202], "{log}");
    for secret in [
        "sukru@",
        &variables()["edge_master_key"][..8],
        "Çağlayangöl",
        "uzun bir",
        tokens["access_token"].as_str().unwrap(),
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

/// Who has registered, and the token of the e-mail's link, made as the mailer makes it: `sync` reads the link's id in the feed.
#[allow(clippy::disallowed_methods, reason = "the Worker checks the call by the real clock")]
fn confirmation(running: &Running) -> (Value, String) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Timestamp::from_millis(now.as_millis().try_into().unwrap());
    let roots = &variables()["plane_root_keys"];
    let context = CallContext { request_id: "test".into(), ..CallContext::default() };
    let call = PlaneKeys::from_config(roots)
        .unwrap()
        .sign(Purpose::Feed, &Method::GET, &"/internal/feed".parse().unwrap(), b"", &context, now)
        .unwrap();
    let feed = get(running, UMRANIYE, "/internal/feed").header("akademi-call", call.to_str().unwrap()).send();
    let feed = feed.expect(200);
    let events = feed["batch"]["events"].as_array().unwrap();
    let mail = events.iter().find(|event| event["kind"] == "mail_wanted").unwrap();
    let mail: Value = serde_json::from_str(mail["payload"].as_str().unwrap()).unwrap();
    let (tenant, link) = ("01890000-0000-7000-8000-000000000001", mail["link"].as_str().unwrap());
    let keys = LinkKeys::from_config(roots).unwrap();
    let token = keys.token(LinkPurpose::ConfirmAddress, tenant.parse().unwrap(), link.parse().unwrap());
    (mail["person"].clone(), token)
}
