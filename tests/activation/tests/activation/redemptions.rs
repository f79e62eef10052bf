//! Who redeems a code has its courses, and no code is good for longer or elsewhere than it says.

use akademi_api::config::Config;
use akademi_domain::{activation_code::ActivationCode, permission::Role};
use akademi_feed::EdgeEvent;
use serde_json::{Value, json};

use crate::world::{BATCHES, START, World, batch_with, course};

#[tokio::test]
async fn who_redeems_a_code_has_its_courses_at_once_and_a_second_time_nothing_more() {
    let world = World::new();
    let (staff, learner) = (world.staff(), world.learner());
    let (path, codes) = world.make(&staff, batch_with(json!({ "uses_per_code": 2 }))).await;
    let grant = json!({ "person": learner.id, "course": course(0, 2) });
    world.post(&staff, "/api/v1/enrolments", None, grant).await.expect(201);
    assert!(!world.has_course(&learner, 1).await);

    world.wait(60);
    let first = world.redeem(&learner, &codes[4].to_lowercase().replace('-', " ")).await.expect(200);
    assert!(world.has_course(&learner, 1).await && world.has_course(&learner, 2).await);
    let titles: Vec<_> =
        first["courses"].as_array().unwrap().iter().map(|course| course["title"].clone()).collect();
    assert_eq!(titles, [json!("Işık 1"), json!("Işık 2")]);
    assert_eq!(first["redeemed_at"], json!(START.plus_seconds(60)));

    world.wait(60);
    assert_eq!(world.redeem(&learner, &codes[4]).await.expect(200), first);
    let enrolled: Vec<_> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            EdgeEvent::Enrolled { person, course, source, .. } if person == learner.id => {
                Some((course, source))
            }
            _ => None,
        })
        .collect();
    assert_eq!(enrolled, [(course(0, 2), "staff".to_owned()), (course(0, 1), "code".to_owned())]);
    assert_eq!(world.count("SELECT uses FROM activation_code"), 1);
    assert_eq!(world.get(&staff, &path).await.expect(200)["uses"], 1);

    let uses = world.get(&staff, &format!("{path}/uses")).await.expect(200);
    let name = json!({ "id": learner.id, "name": "Şükrü Iğdır" });
    let used = json!({ "code": codes[4], "person": name, "at": START.plus_seconds(60) });
    assert_eq!(uses, json!({ "data": [used], "next_cursor": null }));
    let sheet = world.get(&staff, &format!("{path}/codes.csv?from=4&to=6")).await.text;
    assert_eq!(
        sheet,
        format!("number,code,uses\r\n4,{},0\r\n5,{},1\r\n6,{},0\r\n", codes[3], codes[4], codes[5])
    );
}

#[tokio::test]
async fn uses_come_by_pages_and_outlive_whom_they_name() {
    let world = World::new();
    let staff = world.staff();
    let (path, codes) = world.make(&staff, batch_with(json!({ "uses_per_code": 10 }))).await;
    let mut people = Vec::new();
    for code in [&codes[0], &codes[1], &codes[0]] {
        let learner = world.learner();
        world.redeem(&learner, code).await.expect(200);
        people.push(learner.id.to_string());
    }
    const ERASE: akademi_edge_store::PlatformSql =
        akademi_edge_store::PlatformSql::new("DELETE FROM person_key WHERE person_id = ?1");
    world.run(vec![ERASE.with([people[1].as_str().into()])]);
    let mut seen: Vec<(String, Value)> = Vec::new();
    let mut query = "?limit=1".to_owned();
    loop {
        let page = world.get(&staff, &format!("{path}/uses{query}")).await.expect(200);
        let person = &page["data"][0]["person"];
        seen.push((person["id"].as_str().unwrap().to_owned(), person["name"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=1&cursor={cursor}");
    }
    let name = json!("Şükrü Iğdır");
    let expected = [(2, name.clone()), (1, Value::Null), (0, name)];
    assert_eq!(seen, expected.map(|(person, name)| (people[person].clone(), name)));
    let wrong = world.get(&staff, &format!("{path}/uses?cursor=NTphYmM")).await;
    assert_eq!(wrong.field(), "cursor", "a cursor of another list");
}

#[tokio::test]
async fn a_code_is_good_between_its_dates_until_it_is_used_up_or_revoked() {
    let world = World::new();
    let staff = world.staff();
    let dates = json!({ "starts_at": START.plus_seconds(100), "ends_at": START.plus_seconds(200), "uses_per_code": 1 });
    let (path, codes) = world.make(&staff, batch_with(dates)).await;
    let (one, other) = (world.learner(), world.learner());
    let told = async |code: &String| world.redeem(&other, code).await.problem();
    assert_eq!(told(&codes[0]).await, (409, "code-not-yet-valid".to_owned()));
    world.wait(100);
    world.redeem(&one, &codes[0]).await.expect(200);
    assert_eq!(told(&codes[0]).await, (409, "code-used-up".to_owned()));
    world.wait(99);
    world.redeem(&other, &codes[1]).await.expect(200);
    world.wait(1);
    assert_eq!(told(&codes[2]).await, (409, "code-no-longer-valid".to_owned()));
    world.redeem(&one, &codes[0]).await.expect(200);

    let (revoked, codes) = world.make(&staff, batch_with(json!({}))).await;
    let entry = world.post(&staff, &format!("{revoked}/revocation"), None, Value::Null).await.expect(200);
    assert_eq!(entry["revoked_at"], json!(START.plus_seconds(200)));
    assert_eq!(told(&codes[0]).await, (409, "code-no-longer-valid".to_owned()));
    world.wait(5);
    let again = world.post(&staff, &format!("{revoked}/revocation"), None, Value::Null).await.expect(200);
    assert_eq!(again, entry, "the first moment stays");
    assert_eq!(world.get(&staff, &path).await.expect(200)["revoked_at"], Value::Null);
    assert!(!world.has_course(&world.learner(), 1).await);
}

#[tokio::test]
async fn a_code_of_another_academy_and_one_that_nobody_made_are_unknown() {
    let world = World::new();
    let (staff, stranger) = (world.staff(), world.join(1, Role::Student));
    let (_, codes) = world.make(&staff, batch_with(json!({ "prefix": "" }))).await;
    let unknown = (404, "unknown-code".to_owned());
    assert_eq!(world.redeem(&stranger, &codes[0]).await.problem(), unknown);
    let code: ActivationCode = codes[0].parse().unwrap();
    let plain = "".parse().unwrap();
    // One bit of the hash, one of the place, the whole of either, and another prefix: each with the check symbol that it needs.
    for payload in [code.payload() ^ 1, code.payload() ^ 1 << 41, code.payload() ^ 1 << 60, 0, u128::MAX] {
        let forged = ActivationCode::new(&plain, payload).to_string();
        assert_eq!(world.redeem(&world.learner(), &forged).await.problem(), unknown, "{forged}");
    }
    let renamed = ActivationCode::new(&"BAHAR".parse().unwrap(), code.payload()).to_string();
    assert_eq!(world.redeem(&world.learner(), &renamed).await.problem(), unknown);
    assert_eq!(world.count("SELECT count(*) AS n FROM activation_use"), 0);
    world.redeem(&world.learner(), &codes[0]).await.expect(200);
}

#[tokio::test]
async fn a_typing_mistake_is_told_and_counts_for_nothing() {
    let world = World::new();
    let (staff, learner) = (world.staff(), world.learner());
    let (_, codes) = world.make(&staff, batch_with(json!({}))).await;
    let last = if codes[0].ends_with('2') { "3" } else { "2" };
    let mistyped = format!("{}{last}", &codes[0][..codes[0].len() - 1]);
    for wrong in [mistyped.as_str(), "", "BAHAR", "YILBAŞI-2222-2222-2222-2222"] {
        for _ in 0..10 {
            let answer = world.redeem(&learner, wrong).await;
            assert_eq!(answer.field(), "code");
            assert!(answer.text.contains("mistyped") == (wrong == mistyped), "{}", answer.text);
        }
    }
    assert_eq!(world.count("SELECT count(*) AS n FROM throttle"), 0);
}

#[tokio::test]
async fn no_code_stands_in_the_store_the_feed_or_the_log() {
    let world = World::new();
    let (staff, learner) = (world.staff(), world.learner());
    let (path, codes) = world.make(&staff, batch_with(json!({ "name": "Bulunur" }))).await;
    world.redeem(&learner, &codes[0]).await.expect(200);
    world.redeem(&learner, &ActivationCode::new(&"".parse().unwrap(), 5).to_string()).await.expect(404);
    world.get(&staff, &format!("{path}/uses")).await.expect(200);
    let kept = String::from_utf8_lossy(&world.kept()).to_uppercase();
    assert!(kept.contains("BULUNUR") && kept.contains("UNKNOWN-CODE"), "the search finds what is there");
    for code in &codes {
        let body: String = code.chars().skip("BAHAR".len()).filter(|letter| *letter != '-').collect();
        for text in [code.as_str(), &code["BAHAR-".len()..], &body] {
            assert!(!kept.contains(text), "{text}");
        }
    }
}

#[test]
fn the_function_names_the_variable_that_it_lacks() {
    let world = World::new();
    let lookup = |_: &str| None;
    let made = akademi_activation::Activation::from_config(world.edge.clone(), &Config::new(&lookup));
    assert!(made.err().unwrap().to_string().contains("token_public_keys"));
}

#[tokio::test]
async fn a_course_with_limited_seats_is_given_by_no_code() {
    let world = World::new();
    let (staff, learner) = (world.staff(), world.learner());
    let (_, codes) = world.make(&staff, batch_with(json!({ "uses_per_code": 2 }))).await;
    let early = world.learner();
    let had = world.redeem(&early, &codes[0]).await.expect(200);
    world.limit_seats(0, 2);
    let refused = world.redeem(&learner, &codes[0]).await;
    assert_eq!(refused.problem(), (409, "code-for-limited-seats".into()));
    assert!(!world.has_course(&learner, 1).await && !world.has_course(&learner, 2).await);
    assert_eq!(world.redeem(&early, &codes[0]).await.expect(200), had, "who has it keeps it");

    let sent = world.post(&staff, BATCHES, Some("seats"), batch_with(json!({}))).await;
    assert_eq!(sent.field(), "courses");
    let others = batch_with(json!({ "courses": [course(0, 1)] }));
    world.post(&staff, BATCHES, Some("others"), others).await.expect(201);
}
