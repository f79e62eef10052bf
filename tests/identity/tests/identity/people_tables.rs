//! People as tables: exported, imported.

use akademi_domain::{ids::UserId, mail::MailKind};
use akademi_edge_store::{Platform, PlatformSql};
use akademi_seal::{PersonKey, Vault};
use axum::body::Body;
use http::{Method, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::world::{Answer, From, PASSWORD, START, World, from, request, send, tenant};

const IMPORT: &str = "/api/v1/people/import";

fn upload(who: &From, query: &str, csv: &str) -> Request<Body> {
    let mut request = request(who, Method::POST, &format!("{IMPORT}{query}"), Value::Null);
    request.headers_mut().insert(header::CONTENT_TYPE, "text/csv; charset=utf-8".parse().unwrap());
    *request.body_mut() = Body::from(csv.to_owned());
    request
}

async fn import(world: &World, who: &From, query: &str, csv: &str) -> Answer {
    let (parts, body) = world.ask(upload(who, query, csv)).await.into_parts();
    let body = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
    Answer { status: parts.status.as_u16(), body, retry_after: None }
}

/// State and, of a refused one, column of each line.
fn lines(report: &Value) -> Vec<(i64, &str, Option<&str>)> {
    let lines = report["lines"].as_array().unwrap().iter();
    let told = |line: &'_ Value| line["line"].as_i64().unwrap();
    lines.map(|line| (told(line), line["state"].as_str().unwrap(), line["column"].as_str())).collect()
}

async fn sheet(world: &World, who: &From, path: &str) -> (u16, Option<String>, String) {
    let (parts, body) = world.ask(request(who, Method::GET, path, Value::Null)).await.into_parts();
    let link = parts.headers.get(header::LINK).map(|link| link.to_str().unwrap().to_owned());
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    (parts.status.as_u16(), link, String::from_utf8(body).unwrap())
}

const FILE: &str = "\u{feff}name;e-mail;roles\r\n\
    \"Ayşe \"\"Işık\"\"\";AYSE@example.org;instructor student\r\n\
    Ali;ali@example.org;\r\n\
    ;adsiz@example.org;\r\n\
    Veli;veli(at)example.org;\r\n\
    Can;can@example.org;müdür\r\n\
    \"Uzun\r\nAd\";uzun@example.org;\r\n\
    Ali Yine;ali@example.org;\r\n\
    Yarım;yarim@example.org\r\n\
    Admin;admin@example.org;student\r\n";

#[tokio::test]
async fn each_good_row_is_invited_once_and_each_bad_one_is_told_of() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let expected = [
        (2, "invited", None),
        (3, "invited", None),
        (4, "refused", Some("name")),
        (5, "refused", Some("email")),
        (6, "refused", Some("roles")),
        (7, "refused", Some("name")),
        (9, "known", None),
        (10, "refused", None),
        (11, "known", None),
    ];
    let (before, wakes) = (world.mails().len(), world.lambda.wakes());
    let tried = import(&world, &admin, "?dry_run=true", FILE).await.expect(200);
    assert_eq!((lines(&tried), &tried["dry_run"]), (expected.to_vec(), &json!(true)));
    assert_eq!((world.mails().len(), world.lambda.wakes()), (before, wakes), "nobody is invited by that");
    let done = import(&world, &admin, "", FILE).await.expect(200);
    assert_eq!(lines(&done), expected);
    assert_eq!((&done["invited"], &done["known"], &done["refused"]), (&json!(2), &json!(2), &json!(5)));
    assert_eq!(world.lambda.wakes(), wakes + 1);
    let again = import(&world, &admin, "", FILE).await.expect(200);
    assert_eq!((&again["invited"], &again["known"]), (&json!(0), &json!(4)));
    let invitations: Vec<_> =
        world.mails().into_iter().filter(|mail| mail.0 == MailKind::Invitation).collect();
    assert_eq!(invitations.len(), 2);
    assert_eq!(world.count("SELECT count(*) FROM pending_person"), 2, "nothing is written for the others");
    assert_eq!(world.audited().iter().filter(|action| *action == "people.imported").count(), 1);

    let token = world.newest_token(MailKind::Invitation);
    let ali = from("198.51.100.1");
    let accept = json!({ "token": token, "password": PASSWORD });
    world.post(&ali, "/api/v1/auth/accept-invitation", accept).await.expect(204);
    let tokens = world.login(&ali, "ali@example.org", PASSWORD).await.expect(200);
    let me = world.me(&ali.with(&tokens)).await.expect(200);
    assert_eq!((&me["name"], &me["roles"]), (&json!("Ali"), &json!(["student"])));
}

#[tokio::test]
async fn what_is_no_table_of_people_is_refused_whole() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    for file in ["", "name\nAli\n", "e-mail\na@b.co\n", "e-mail,name,phone\na@b.co,Ali,1\n"] {
        assert_eq!(import(&world, &admin, "", file).await.status, 422, "{file:?}");
    }
    let rows = |count| "email,name\n".to_owned() + &"a@b.co,Ali\n".repeat(count);
    assert_eq!(import(&world, &admin, "", &rows(501)).await.status, 422);
    assert_eq!(import(&world, &admin, "?dry_run=true", &rows(500)).await.status, 200);
    assert_eq!(import(&world, &admin, "", &" ".repeat(1024 * 1024 + 1)).await.status, 413);
    world.post(&admin, IMPORT, json!({})).await.expect(415);
}

#[tokio::test]
async fn five_hundred_people_are_one_short_batch() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let rows: String = (0..500).map(|n| format!("kisi{n}@example.org,Kişi {n}\n")).collect();
    let done = import(&world, &admin, "", &format!("email,name\n{rows}")).await.expect(200);
    assert_eq!(done["invited"], 500);
    let invited = world.mails().iter().filter(|mail| mail.0 == MailKind::Invitation).count();
    assert_eq!((invited, world.count("SELECT count(*) FROM pending_person")), (500, 500));
    let numbers = "SELECT max(number) - count(*) FROM feed_event";
    assert_eq!(world.count(numbers), 0, "the feed has no gap");
}

#[tokio::test]
async fn nobody_imports_what_they_may_not_give_and_no_more_than_the_academy_may_have() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let define = json!({ "name": "Sekreter", "permissions": ["people:read", "people:write"] });
    let role =
        world.post(&admin, "/api/v1/roles", define).await.expect(201)["id"].as_str().unwrap().to_owned();
    let (secretary, _) = world.join_as("192.0.2.3", "sekreter@example.org", &[&role]).await;
    let file = "email,name,roles\na@example.org,A,tenant_admin\nb@example.org,B,instructor\nc@example.org,C,student\n\
                d@example.org,D,global_admin\n";
    let report = import(&world, &secretary, "", file).await.expect(200);
    let refused = |line| (line, "refused", Some("roles"));
    assert_eq!(lines(&report), [refused(2), refused(3), (4, "invited", None), refused(5)]);
    let learner = from("192.0.2.4").with(&world.join(&from("192.0.2.4"), "l@example.org", PASSWORD).await);
    assert_eq!(import(&world, &learner, "", file).await.status, 403);

    world.execute("UPDATE tenant SET people_limit = people + 1 WHERE slug = 'one'");
    let file = "email,name\ne@example.org,E\nf@example.org,F\nadmin@example.org,Admin\n";
    let report = import(&world, &admin, "", file).await.expect(200);
    assert_eq!(lines(&report), [(2, "invited", None), (3, "refused", None), (4, "known", None)]);
}

/// How many invitations one file leads to that is sent twice at once.
async fn sent_at_once(is_lax: bool) -> usize {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let router = world.racing("SELECT max(people_limit", 2, is_lax);
    let ask = |query: &str| {
        let (router, request) = (router.clone(), upload(&admin, query, "email,name\nali@example.org,Ali\n"));
        tokio::spawn(async move { send(&router, request).await })
    };
    let (first, other) = futures::future::select(ask(""), ask("")).await.factor_first();
    assert_eq!(first.unwrap(), 200);
    if !is_lax {
        // Whoever looks anew waits for one more who looks.
        assert_eq!(ask("?dry_run=true").await.unwrap(), 200);
    }
    assert_eq!(other.await.unwrap(), 200);
    world.mails().iter().filter(|mail| mail.0 == MailKind::Invitation).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_sent_twice_at_once_invites_once() {
    assert_eq!(sent_at_once(false).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_condition_it_would_invite_twice() {
    assert_eq!(sent_at_once(true).await, 2);
}

#[tokio::test]
async fn an_export_is_text_for_every_spreadsheet_and_comes_back_as_an_import() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let learner = from("192.0.2.2").with(&world.join(&from("192.0.2.2"), "l@example.org", PASSWORD).await);
    let rename = json!({ "name": "=HYPERLINK(\"http://a\", Iğdır)" });
    world.send(&learner, Method::PATCH, "/api/v1/users/me", rename).await.expect(200);
    let (status, link, text) = sheet(&world, &admin, "/api/v1/people.csv?role=student").await;
    assert_eq!((status, link), (200, None));
    let text = text.strip_prefix('\u{feff}').unwrap();
    let mut rows = text.split("\r\n");
    assert_eq!(rows.next(), Some("id,name,email,roles,state,created_at"));
    assert!(
        rows.any(|row| row
            .contains(",\"'=HYPERLINK(\"\"http://a\"\", Iğdır)\",l@example.org,student,active,2026-09-")),
        "{text}"
    );
    assert_eq!(world.audited().last().map(String::as_str), Some("people.exported"));
    let report = import(&world, &admin, "?dry_run=true", text).await.expect(200);
    assert_eq!((&report["invited"], &report["refused"]), (&json!(0), &json!(0)), "{report}");

    assert_eq!(sheet(&world, &learner, "/api/v1/people.csv").await.0, 403);
    world.wait(3600);
    let stale = world.send(&admin, Method::GET, "/api/v1/people.csv", Value::Null).await;
    assert!(matches!(stale.status, 401 | 403), "{stale:?}");
}

#[tokio::test]
async fn an_export_of_many_goes_on_behind_its_link() {
    const PERSON: PlatformSql = PlatformSql::new(
        "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
         VALUES (?1, ?2, ?3, ?4, '', 'suspended', 1, ?5)",
    );
    const KEY: PlatformSql =
        PlatformSql::new("INSERT INTO person_key (tenant_id, person_id, wrapped) VALUES (?1, ?2, ?3)");
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let (vault, key) =
        (Vault::from_config(&world.variables["edge_master_key"]).unwrap(), PersonKey::from_bytes([7; 32]));
    let mut statements = Vec::new();
    for n in 0..1001_i64 {
        let person = UserId::new(START.plus_seconds(n), [7; 10]);
        let profile = json!({ "name": format!("Kişi {n}"), "email": format!("kisi{n}@example.org") });
        let sealed = key.seal(person, "profile", profile.to_string().as_bytes(), [7; 24]);
        let lookup = n.to_be_bytes().as_slice().into();
        statements.push(PERSON.with([tenant(1).into(), person.into(), lookup, sealed.into(), n.into()]));
        let wrapped = vault.wrap_key(tenant(1), person, &key, [7; 24]);
        statements.push(KEY.with([tenant(1).into(), person.into(), wrapped.into()]));
    }
    Platform::new(world.edge.database.as_ref()).batch(statements).await.unwrap();
    let (_, link, first) = sheet(&world, &admin, "/api/v1/people.csv?state=suspended").await;
    let link = link.unwrap();
    let next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    let (_, end, second) = sheet(&world, &admin, next).await;
    assert_eq!((first.matches("\r\n").count(), second.matches("\r\n").count(), end), (1001, 2, None));
    assert!(first.contains("Kişi 1000,") && second.contains("Kişi 0,"), "newest first");
}
