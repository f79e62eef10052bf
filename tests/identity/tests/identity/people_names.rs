//! Staff finds people by their names, which stand nowhere in clear.

use http::Method;
use serde_json::{Value, json};

use crate::world::{From, PASSWORD, World, contains, from};

const SEARCH: &str = "/api/v1/people?name=";

fn search(text: &str) -> String {
    let bytes = text.bytes();
    SEARCH.to_owned() + &bytes.map(|byte| format!("%{byte:02X}")).collect::<String>()
}

async fn found(world: &World, who: &From, text: &str) -> Vec<String> {
    let page = world.send(who, Method::GET, &search(text), Value::Null).await.expect(200);
    let people = page["data"].as_array().unwrap().iter();
    people.map(|person| person["name"].as_str().unwrap().to_owned()).collect()
}

async fn join(world: &World, number: u8, name: &str) -> From {
    world.wait(60);
    let who = from(&format!("192.0.2.{number}"));
    let tokens = world.join(&who, &format!("kisi{number}@example.org"), PASSWORD).await;
    let who = who.with(&tokens);
    world.send(&who, Method::PATCH, "/api/v1/users/me", json!({ "name": name })).await.expect(200);
    who
}

#[tokio::test]
async fn the_beginning_of_any_word_finds_people_with_or_without_turkish_letters() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    for (number, name) in (2..).zip(["Işıl Çağlayangöl", "İsmail Çağ", "Ayşe Işık", "Muhammed Ali"])
    {
        join(&world, number, name).await;
    }
    for (text, names) in [
        ("ışı", &["Ayşe Işık", "Işıl Çağlayangöl"][..]),
        ("ISI", &["Ayşe Işık", "Işıl Çağlayangöl"]),
        ("isil", &["Işıl Çağlayangöl"]),
        ("çağ", &["İsmail Çağ", "Işıl Çağlayangöl"]),
        ("caglayang", &["Işıl Çağlayangöl"]),
        ("caglayanx", &[]),
        ("cag is", &["İsmail Çağ", "Işıl Çağlayangöl"]),
        ("is i cag", &["İsmail Çağ", "Işıl Çağlayangöl"]),
        ("muh ali mu", &["Muhammed Ali"]),
        ("hammed", &[]),
    ] {
        assert_eq!(found(&world, &admin, text).await, names, "{text}");
    }
    world.send(&admin, Method::GET, &search("a b"), Value::Null).await.expect(422);
    let suspended = search("cag") + "&state=suspended";
    let none = world.send(&admin, Method::GET, &suspended, Value::Null).await.expect(200);
    assert_eq!(none["data"], json!([]));
    let first = world.send(&admin, Method::GET, &(search("cag") + "&limit=1"), Value::Null).await.expect(200);
    let next = format!("{}&limit=1&cursor={}", search("cag"), first["next_cursor"].as_str().unwrap());
    let second = world.send(&admin, Method::GET, &next, Value::Null).await.expect(200);
    assert_eq!(
        (&first["data"][0]["name"], &second["data"][0]["name"], &second["next_cursor"]),
        (&json!("İsmail Çağ"), &json!("Işıl Çağlayangöl"), &Value::Null)
    );
}

#[tokio::test]
async fn a_new_name_is_found_and_the_old_one_is_not_and_nobody_s_is_kept_in_clear() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let person = join(&world, 2, "Zekeriya Öztürk").await;
    assert_eq!(world.count("SELECT count(*) FROM person_name_prefix"), 0, "nobody has searched");
    assert_eq!(found(&world, &admin, "zeke").await, ["Zekeriya Öztürk"]);
    let rows = world.count("SELECT count(*) FROM person_name_prefix");
    assert!((10..=20).contains(&rows), "{rows}");
    let change = json!({ "name": "Bedia Öz" });
    world.send(&person, Method::PATCH, "/api/v1/users/me", change).await.expect(200);
    assert_eq!(found(&world, &admin, "zeke").await.len(), 0);
    assert_eq!(found(&world, &admin, "bedia").await, ["Bedia Öz"]);
    let kept = world.kept();
    for part in ["zekeri", "Zekeri", "bedia", "Bedia"] {
        assert!(!contains(&kept, part), "{part}");
    }
    world.execute("DELETE FROM person WHERE name_indexed = 1 AND id NOT IN (SELECT person_id FROM role_assignment WHERE role = 'tenant_admin')");
    let orphans = "SELECT count(*) FROM person_name_prefix WHERE person_id NOT IN (SELECT id FROM person)";
    assert_eq!(world.count(orphans), 0, "what a name was found by goes with the person");
}

#[tokio::test]
async fn a_search_reads_the_index_in_the_order_of_its_pages() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    join(&world, 2, "Ayşe Işık").await;
    found(&world, &admin, "ayse").await;
    let (reads, commits) = world.watched(&admin, Method::GET, &search("ayse isik"), Value::Null).await;
    assert_eq!(commits, 0, "whoever is in the index is not put there again");
    let plan = world.plan(reads.iter().find(|statement| statement.sql.contains("named.prefix")).unwrap());
    assert!(plan.contains("SEARCH named USING PRIMARY KEY (tenant_id=? AND prefix=?"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
    let plan = world.plan(reads.iter().find(|statement| statement.sql.contains("name_indexed = 0")).unwrap());
    assert!(plan.contains("USING INDEX person_to_index (tenant_id=?)"), "{plan}");
}

#[tokio::test]
async fn two_first_searches_at_once_leave_a_whole_index() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    join(&world, 2, "Ayşe Işık").await;
    let router = world.racing("name_indexed = 0 LIMIT", 2, false);
    let asked = [0, 1].map(|_| {
        let (router, request) =
            (router.clone(), crate::world::request(&admin, Method::GET, &search("ayse"), Value::Null));
        tokio::spawn(async move { crate::world::send(&router, request).await })
    });
    for asked in asked {
        assert_eq!(asked.await.unwrap(), 200);
    }
    assert_eq!(found(&world, &admin, "ayse isik").await, ["Ayşe Işık"]);
}
