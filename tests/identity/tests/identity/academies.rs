//! What an academy decides about itself, where it answers, and what the platform's administrators do.

use akademi_domain::mail::MailKind;
use akademi_feed::EdgeEvent;
use http::Method;
use serde_json::{Value, json};

use crate::world::{From, HOST, OTHER_HOST, PASSWORD, World, from, tenant};

const SETTINGS: &str = "/api/v1/academy/settings";
const DOMAINS: &str = "/api/v1/academy/domains";
const ACADEMIES: &str = "/api/v1/platform/academies";

async fn admin(world: &World) -> From {
    world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await.0
}

#[tokio::test]
async fn an_academy_changes_what_it_says_and_the_other_plane_hears_of_it() {
    let world = World::new();
    let admin = admin(&world).await;
    let before = world.send(&admin, Method::GET, SETTINGS, Value::Null).await.expect(200);
    assert_eq!(
        (&before["time_zone"], &before["languages"]),
        (&json!("Europe/Istanbul"), &json!(["tr", "en"]))
    );
    let change = json!({
        "name": " İğde Akademi ", "brand_colour": "#0A7B8C", "locale": "en", "time_zone": "Asia/Tokyo",
        "logo_url": "https://cdn.example/logo.svg", "origins": ["https://www.example.org"],
        "features": { "commerce": false }, "reviews_need_approval": true, "session_idle_minutes": 60,
        "watch_rate_percent": 150
    });
    let after = world.send(&admin, Method::PATCH, SETTINGS, change).await.expect(200);
    assert_eq!((&after["name"], &after["brand_colour"]), (&json!("İğde Akademi"), &json!("#0a7b8c")));
    assert_eq!(
        after["features"],
        json!({ "registration": true, "commerce": false, "certificates": true, "activation_codes": true })
    );
    assert_eq!(
        (&before["reviews_need_approval"], &after["reviews_need_approval"]),
        (&json!(false), &json!(true))
    );
    assert_eq!((&before["watch_rate_percent"], &after["watch_rate_percent"]), (&json!(200), &json!(150)));
    assert_eq!(
        (&after["session_idle_minutes"], &after["session_absolute_minutes"]),
        (&json!(60), &before["session_absolute_minutes"])
    );
    assert_eq!(world.send(&admin, Method::GET, SETTINGS, Value::Null).await.expect(200), after);

    let events = world.events();
    let told = events.iter().rev().find_map(|(of, event)| match event {
        EdgeEvent::AcademySaved { name, domains, .. } if *of == tenant(1) => {
            Some((name.clone(), domains.clone()))
        }
        _ => None,
    });
    assert_eq!(told.unwrap(), ("İğde Akademi".to_owned(), vec![HOST.to_owned()]));
    let kept = events.iter().find_map(|(_, event)| match event {
        EdgeEvent::Audited { action, change, .. } if action == "academy.changed" => change.clone(),
        _ => None,
    });
    let kept = kept.unwrap();
    assert_eq!(kept["after"]["session_idle_seconds"], json!(3600));
    assert_eq!(kept["after"]["reviews_need_approval"], json!(true));
    assert_eq!(kept["before"]["time_zone"], json!("Europe/Istanbul"));
    assert!(kept["after"].get("session_absolute_seconds").is_none(), "what stays is not told: {kept}");

    let removed = world.send(&admin, Method::PATCH, SETTINGS, json!({ "logo_url": null })).await.expect(200);
    assert_eq!(removed["logo_url"], Value::Null);
}

#[tokio::test]
async fn what_no_academy_can_be_is_refused_by_its_field_and_nothing_is_written() {
    let world = World::new();
    let admin = admin(&world).await;
    let generation = world.count("SELECT generation FROM tenant WHERE slug = 'one'");
    for (change, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": "a".repeat(121) }), "name"),
        (json!({ "brand_colour": "green" }), "brand_colour"),
        (json!({ "logo_url": "http://cdn.example/logo.svg" }), "logo_url"),
        (json!({ "logo_url": "javascript:alert(1)" }), "logo_url"),
        (json!({ "time_zone": "Europe/Ankara" }), "time_zone"),
        (json!({ "origins": ["*"] }), "origins"),
        (json!({ "languages": ["en"] }), "languages"),
        (json!({ "languages": ["xx"] }), "languages"),
        (json!({ "session_idle_minutes": 14 }), "session_idle_minutes"),
        (json!({ "features": { "lottery": true } }), "features"),
        (json!({ "people_limit": 1_000_000 }), ""),
        (json!({ "slug": "other" }), ""),
    ] {
        let refused = world.send(&admin, Method::PATCH, SETTINGS, change.clone()).await;
        assert_eq!(refused.status, 422, "{change}: {}", refused.body);
        let named = refused.body["errors"][0]["field"].as_str().unwrap_or_default();
        assert!(named.starts_with(field), "{change}: {}", refused.body);
    }
    assert_eq!(world.count("SELECT generation FROM tenant WHERE slug = 'one'"), generation);
    assert!(!world.audited().contains(&"academy.changed".to_owned()));
}

#[tokio::test]
async fn what_is_switched_off_is_not_there() {
    let world = World::new();
    let admin = admin(&world).await;
    let change = json!({ "features": { "registration": false } });
    world.send(&admin, Method::PATCH, SETTINGS, change).await.expect(200);
    let refused = world.register(&from("192.0.2.7"), "new@example.org", PASSWORD).await;
    assert_eq!((refused.status, refused.slug()), (404, "/problems/feature-off"));
    let elsewhere = From { host: OTHER_HOST, ..from("192.0.2.7") };
    world.register(&elsewhere, "new@example.org", PASSWORD).await.expect(202);
}

#[tokio::test]
async fn a_domain_is_the_academys_once_its_txt_record_says_so() {
    let world = World::new();
    let admin = admin(&world).await;
    let claimed = world.post(&admin, DOMAINS, json!({ "host": "egitim.example.org" })).await.expect(201);
    assert_eq!(claimed["verified"], json!(false));
    let (name, value) =
        (claimed["challenge"]["name"].as_str().unwrap(), claimed["challenge"]["value"].as_str().unwrap());
    assert_eq!(name, "_akademi.egitim.example.org");
    let again = world.post(&admin, DOMAINS, json!({ "host": "egitim.example.org" })).await.expect(201);
    assert_eq!(again, claimed, "the record to publish stays the same");
    let there = From { host: "egitim.example.org", ..admin.clone() };
    world.me(&there).await.expect(404);
    let verification = format!("{DOMAINS}/egitim.example.org/verification");
    assert_eq!(world.post(&admin, &verification, Value::Null).await.slug(), "/problems/domain-not-proved");
    world.names.publish(name, "akademi=somebody-else");
    assert_eq!(world.post(&admin, &verification, Value::Null).await.status, 409);
    world.names.publish(name, value);
    assert_eq!(world.post(&admin, &verification, Value::Null).await.expect(200)["verified"], json!(true));
    assert_eq!(world.post(&admin, &verification, Value::Null).await.expect(200)["verified"], json!(true));
    world.me(&there).await.expect(200);

    assert_eq!(
        world.post(&admin, DOMAINS, json!({ "host": OTHER_HOST })).await.slug(),
        "/problems/host-taken"
    );
    assert_eq!(
        world
            .send(&there, Method::DELETE, &format!("{DOMAINS}/egitim.example.org"), Value::Null)
            .await
            .slug(),
        "/problems/host-in-use"
    );
    world.send(&admin, Method::DELETE, &format!("{DOMAINS}/{OTHER_HOST}"), Value::Null).await.expect(404);
    world
        .send(&admin, Method::DELETE, &format!("{DOMAINS}/egitim.example.org"), Value::Null)
        .await
        .expect(204);
    world.me(&there).await.expect(404);
    for host in ["localhost", "192.0.2.1", "Egitim.example.org", "a..b", "a/b.example"] {
        assert_eq!(world.post(&admin, DOMAINS, json!({ "host": host })).await.status, 422, "{host}");
    }
}

#[tokio::test]
async fn of_two_that_say_a_host_is_theirs_the_one_who_proves_it_has_it() {
    let world = World::new();
    let admin = admin(&world).await;
    let rival = {
        let who = From { host: OTHER_HOST, ..from("192.0.2.66") };
        world.join(&who, "rival@example.org", PASSWORD).await;
        world.execute("INSERT INTO role_assignment (tenant_id, person_id, role) SELECT tenant_id, id, 'tenant_admin' FROM person WHERE tenant_id = (SELECT id FROM tenant WHERE slug = 'two')");
        who.with(&world.login(&who, "rival@example.org", PASSWORD).await.expect(200))
    };
    let host = json!({ "host": "egitim.example.org" });
    let ours = world.post(&admin, DOMAINS, host.clone()).await.expect(201);
    let theirs = world.post(&rival, DOMAINS, host.clone()).await.expect(201);
    assert_ne!(ours["challenge"]["value"], theirs["challenge"]["value"]);
    world.names.publish("_akademi.egitim.example.org", ours["challenge"]["value"].as_str().unwrap());
    let verification = format!("{DOMAINS}/egitim.example.org/verification");
    assert_eq!(world.post(&rival, &verification, Value::Null).await.slug(), "/problems/domain-not-proved");
    world.post(&admin, &verification, Value::Null).await.expect(200);
    world.names.publish("_akademi.egitim.example.org", theirs["challenge"]["value"].as_str().unwrap());
    assert_eq!(world.post(&rival, &verification, Value::Null).await.slug(), "/problems/host-taken");
}

#[tokio::test]
async fn an_academy_is_made_suspended_deleted_and_had_back() {
    let world = World::new();
    let operator = world.administrator().await;
    let new = json!({
        "slug": "besiktas", "name": "Beşiktaş Akademi", "locale": "tr", "brand_colour": "#112233", "host": "besiktas.example",
        "administrator": { "name": "Ayşe Yönetici", "email": "ayse@example.org" }, "people_limit": 2, "storage_limit": 1_000_000_000_000_i64
    });
    // The newest stands first, and two of one moment in any order.
    world.wait(1);
    let made = world.post(&operator, ACADEMIES, new.clone()).await.expect(201);
    assert_eq!(world.post(&operator, ACADEMIES, new.clone()).await.slug(), "/problems/slug-taken");
    let mut same_host = new.clone();
    same_host["slug"] = json!("baska");
    assert_eq!(world.post(&operator, ACADEMIES, same_host).await.slug(), "/problems/host-taken");
    let listed =
        world.send(&operator, Method::GET, &format!("{ACADEMIES}?limit=1"), Value::Null).await.expect(200);
    assert_eq!(listed["data"], json!([made]));

    // Its first administrator comes by the invitation.
    let ayse = From { host: "besiktas.example", ..from("192.0.2.8") };
    let acceptance = json!({ "token": world.newest_token(MailKind::Invitation), "password": PASSWORD });
    world.post(&ayse, "/api/v1/auth/accept-invitation", acceptance).await.expect(204);
    let ayse = ayse.with(&world.login(&ayse, "ayse@example.org", PASSWORD).await.expect(200));
    assert_eq!(world.me(&ayse).await.expect(200)["roles"], json!(["tenant_admin"]));

    let one = format!("{ACADEMIES}/{}", made["id"].as_str().unwrap());
    let state = async |state: &str| {
        world.send(&operator, Method::PUT, &format!("{one}/state"), json!({ "state": state })).await
    };
    assert_eq!(state("suspended").await.expect(200)["state"], json!("suspended"));
    assert_eq!(world.me(&ayse).await.slug(), "/problems/unknown-academy");
    state("active").await.expect(200);
    world.me(&ayse).await.expect(200);

    let deletion = format!("{one}/deletion");
    world.send(&operator, Method::DELETE, &deletion, Value::Null).await.expect(404);
    let deleted = world.send(&operator, Method::PUT, &deletion, Value::Null).await.expect(200);
    let until = deleted["delete_at"].as_str().unwrap().to_owned();
    world.wait(60);
    let again = world.send(&operator, Method::PUT, &deletion, Value::Null).await.expect(200);
    assert_eq!(again["delete_at"], json!(until), "asking again puts nothing off");
    world.me(&ayse).await.expect(404);
    assert_eq!(state("active").await.slug(), "/problems/academy-leaving");
    world.send(&operator, Method::DELETE, &deletion, Value::Null).await.expect(200);
    world.me(&ayse).await.expect(200);
    // Once its time is over, part of it may be gone.
    world.send(&operator, Method::PUT, &deletion, Value::Null).await.expect(200);
    world.wait(31 * 24 * 3600);
    let tokens = world.login(&operator, "operator@example.org", PASSWORD).await.expect(200);
    world.send(&operator.with(&tokens), Method::DELETE, &deletion, Value::Null).await.expect(404);
    let wanted = [
        "academy.created",
        "academy.suspended",
        "academy.resumed",
        "academy.deleted",
        "academy.restored",
        "academy.deleted",
    ];
    assert_eq!(
        world.audited().iter().filter(|action| wanted.contains(&action.as_str())).collect::<Vec<_>>(),
        wanted
    );
}

#[tokio::test]
async fn no_more_people_than_the_platform_allows() {
    let world = World::new();
    let admin = admin(&world).await;
    let operator = world.administrator().await;
    let one = format!("{ACADEMIES}/{}", tenant(1));
    let allow = async |people: Value| {
        world
            .send(&operator, Method::PATCH, &one, json!({ "people_limit": people, "storage_limit": null }))
            .await
    };
    assert_eq!(allow(json!(0)).await.slug(), "/problems/people-limit");
    allow(json!(2)).await.expect(200);
    let (second, third) = (from("192.0.2.2"), from("192.0.2.3"));
    world.join(&second, "second@example.org", PASSWORD).await;
    world.register(&third, "third@example.org", PASSWORD).await.expect(202);
    let confirm = json!({ "token": world.newest_token(MailKind::ConfirmAddress) });
    let refused = world.post(&third, "/api/v1/auth/confirm", confirm.clone()).await;
    assert_eq!((refused.status, refused.slug()), (409, "/problems/people-limit"));
    allow(json!(3)).await.expect(200);
    world.post(&third, "/api/v1/auth/confirm", confirm).await.expect(204);
    let settings = world.send(&admin, Method::GET, SETTINGS, Value::Null).await.expect(200);
    assert_eq!((&settings["people"], &settings["people_limit"]), (&json!(3), &json!(3)));
}

#[tokio::test]
async fn the_platforms_routes_are_on_its_own_host_only() {
    let world = World::new();
    // A row that no route would write.
    let (impostor, _) = world.join_as("192.0.2.1", "impostor@example.org", &["global_admin"]).await;
    let refused = world.send(&impostor, Method::GET, ACADEMIES, Value::Null).await;
    assert_eq!((refused.status, refused.slug()), (404, "/problems/not-found"), "{}", refused.body);
    let operator = world.administrator().await;
    let itself = format!("{ACADEMIES}/{}/state", tenant(9));
    world.send(&operator, Method::PUT, &itself, json!({ "state": "suspended" })).await.expect(404);
    let elsewhere = From { host: HOST, ..operator };
    world.send(&elsewhere, Method::GET, ACADEMIES, Value::Null).await.expect(401);
}

#[tokio::test]
async fn ten_thousand_academies_change_no_hot_statement() {
    let world = World::new();
    let who = from("192.0.2.1");
    let tokens = world.join(&who, "sukru@example.org", PASSWORD).await;
    let plans = async || {
        let mut plans = Vec::new();
        for (who, method, path, body) in [
            (who.with(&tokens), Method::GET, "/api/v1/users/me", Value::Null),
            (
                who.clone(),
                Method::POST,
                "/api/v1/auth/login",
                json!({ "email": "sukru@example.org", "password": PASSWORD }),
            ),
            (
                who.clone(),
                Method::POST,
                "/api/v1/auth/refresh",
                json!({ "refresh_token": tokens["refresh_token"] }),
            ),
        ] {
            let (read, _) = world.watched(&who, method, path, body).await;
            plans.extend(read.iter().map(|statement| (statement.sql, world.plan(statement))));
        }
        plans
    };
    let few = plans().await;
    world.execute(
        "INSERT INTO tenant (id, slug, name, locale, brand_colour, state, generation, created_at) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) \
         SELECT printf('00000000-0000-7000-8000-%012d', i), printf('t%d', i), 'T', 'tr', '#000000', 'active', 1, 0 FROM n",
    );
    world.execute("INSERT INTO domain (host, tenant_id) SELECT slug || '.example.net', id FROM tenant WHERE slug LIKE 't%'");
    world.execute("ANALYZE");
    let many = plans().await;
    assert_eq!(few, many);
    for (sql, plan) in many {
        assert!(!plan.contains("SCAN"), "{sql}\n{plan}");
    }
}
