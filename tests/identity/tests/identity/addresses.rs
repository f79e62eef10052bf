//! Addresses that somebody has kept.

use akademi_domain::identity::ACCESS_TOKEN_SECONDS;
use http::Method;
use serde_json::{Value, json};

use crate::world::{EMAIL, From, HOST, OTHER_HOST, PASSWORD, World, contains, from, request, send, tenant};

const ADDRESSES: &str = "/api/v1/users/me/addresses";

fn home() -> Value {
    json!({ "kind": "individual", "name": " Şükrü  Iğdır ", "country": "TR", "city": "İstanbul", "district": "Ümraniye",
            "lines": ["Çınaraltı Sokak 7", "Daire 3"], "postal_code": "34760", "phone": "+905321112233",
            "tax_number": "10000000146" })
}

fn company() -> Value {
    json!({ "kind": "company", "name": "Iğdır Yazılım A.Ş.", "tax_office": "Ümraniye", "tax_number": "1234567890",
            "country": "TR", "city": "İstanbul", "district": "Ümraniye", "lines": ["Ihlamur Caddesi 1"] })
}

/// `address`, otherwise in these fields; null takes one away.
fn with(mut address: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        match value {
            Value::Null => drop(address.as_object_mut().unwrap().remove(name)),
            value => address[name] = value.clone(),
        }
    }
    address
}

async fn somebody(world: &World, address: &str, email: &str) -> From {
    let who = from(address);
    who.with(&world.join(&who, email, PASSWORD).await)
}

async fn add(world: &World, who: &From, address: Value) -> Value {
    world.post(who, ADDRESSES, address).await.expect(201)
}

async fn list(world: &World, who: &From) -> Vec<Value> {
    let listed = world.send(who, Method::GET, ADDRESSES, Value::Null).await.expect(200);
    listed["data"].as_array().unwrap().clone()
}

fn path(address: &Value) -> String {
    format!("{ADDRESSES}/{}", address["id"].as_str().unwrap())
}

fn defaults(addresses: &[Value]) -> Vec<bool> {
    addresses.iter().map(|address| address["is_default"].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn an_address_is_kept_sealed_and_told_to_its_owner_as_orders_and_invoices_take_it() {
    let world = World::new();
    let who = somebody(&world, "192.0.2.1", EMAIL).await;
    assert_eq!(list(&world, &who).await, Vec::<Value>::new());
    let kept = add(&world, &who, home()).await;
    assert_eq!(kept["name"], "Şükrü  Iğdır", "trimmed");
    assert_eq!(kept["lines"], json!(["Çınaraltı Sokak 7", "Daire 3"]));
    let buyer = json!({ "phone": "+905321112233",
                        "address": "Çınaraltı Sokak 7, Daire 3, 34760 Ümraniye İstanbul, Türkiye" });
    assert_eq!(kept["buyer"], buyer);
    let details = json!({ "name": "Şükrü  Iğdır", "tax_number": "10000000146", "street": "Çınaraltı Sokak 7, Daire 3",
                          "district": "Ümraniye", "city": "İstanbul", "postal_code": "34760", "country": "Türkiye" });
    assert_eq!(kept["invoice_details"], details);
    world.wait(1);
    let firm = add(&world, &who, company()).await;
    assert_eq!((&firm["buyer"], &firm["invoice_details"]["tax_office"]), (&Value::Null, &json!("Ümraniye")));
    assert_eq!(list(&world, &who).await, [kept, firm]);
    for text in ["Çınaraltı", "Ihlamur", "+905321112233", "10000000146", "1234567890"] {
        assert!(!contains(&world.kept(), text), "{text}");
    }
}

#[tokio::test]
async fn one_address_is_the_default_whatever_comes_and_goes() {
    let world = World::new();
    let who = somebody(&world, "192.0.2.1", EMAIL).await;
    let change = |address: Value, body: Value| {
        let (world, who) = (&world, &who);
        async move { world.send(who, Method::PUT, &path(&address), body).await.expect(200) }
    };
    let first = add(&world, &who, home()).await;
    assert_eq!(first["is_default"], true, "the first");
    world.wait(1);
    let second = add(&world, &who, company()).await;
    world.wait(1);
    let third = add(&world, &who, with(home(), json!({ "is_default": true }))).await;
    assert_eq!(defaults(&list(&world, &who).await), [false, false, true]);
    let changed =
        change(second.clone(), with(company(), json!({ "is_default": true, "city": "Ankara" }))).await;
    assert_eq!((&changed["city"], &changed["is_default"]), (&json!("Ankara"), &json!(true)));
    change(second.clone(), with(company(), json!({ "is_default": false }))).await;
    assert_eq!(defaults(&list(&world, &who).await), [false, true, false], "it stays until another is");
    world.send(&who, Method::DELETE, &path(&second), Value::Null).await.expect(204);
    assert_eq!(defaults(&list(&world, &who).await), [true, false], "the oldest");
    world.send(&who, Method::DELETE, &path(&first), Value::Null).await.expect(204);
    world.send(&who, Method::DELETE, &path(&third), Value::Null).await.expect(204);
    assert_eq!(world.count("SELECT count(*) FROM address"), 0);
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_told_by_its_field_and_nothing_is_kept() {
    let world = World::new();
    let who = somebody(&world, "192.0.2.1", EMAIL).await;
    for (address, field) in [
        (with(home(), json!({ "kind": "person" })), "kind"),
        (with(home(), json!({ "name": " " })), "name"),
        (with(home(), json!({ "name": "a\nb" })), "name"),
        (with(home(), json!({ "name": "a".repeat(201) })), "name"),
        (with(home(), json!({ "tax_number": "10000000145" })), "tax_number"),
        (with(home(), json!({ "tax_number": "1234567890" })), "tax_number"),
        (with(home(), json!({ "country": "TUR" })), "country"),
        (with(home(), json!({ "country": "tr" })), "country"),
        (with(home(), json!({ "country": "XX" })), "country"),
        (with(home(), json!({ "country": "" })), "country"),
        (with(home(), json!({ "city": null })), "city"),
        (with(home(), json!({ "district": null })), "district"),
        (with(home(), json!({ "lines": [] })), "lines"),
        (with(home(), json!({ "lines": ["a", "b", "c", "d"] })), "lines"),
        (with(home(), json!({ "lines": ["a", "b".repeat(81)] })), "lines[1]"),
        (with(home(), json!({ "postal_code": "3476" })), "postal_code"),
        (with(home(), json!({ "postal_code": "3476O" })), "postal_code"),
        (with(home(), json!({ "phone": "05321112233" })), "phone"),
        (with(home(), json!({ "phone": "+90 532 111 22 33" })), "phone"),
        (with(home(), json!({ "phone": "+0905321112233" })), "phone"),
        (with(home(), json!({ "street": "a" })), "street"),
        (with(company(), json!({ "tax_number": "1234567891" })), "tax_number"),
        (with(company(), json!({ "tax_number": "10000000146" })), "tax_number"),
        (with(company(), json!({ "tax_number": null })), "tax_number"),
        (with(company(), json!({ "tax_office": null })), "tax_office"),
        (with(company(), json!({ "country": "DE", "tax_office": null })), "tax_office"),
        (with(company(), json!({ "country": "DE", "tax_number": null })), "tax_number"),
        (with(company(), json!({ "country": "DE", "tax_number": null, "tax_office": null })), "tax_number"),
    ] {
        let answer = world.post(&who, ADDRESSES, address.clone()).await;
        assert_eq!(answer.clone().expect(422)["errors"][0]["field"], field, "{address}");
        let told = answer.body.to_string();
        assert!(!told.contains("Çınaraltı") && !told.contains("10000000145"), "{told}");
    }
    assert_eq!(world.count("SELECT count(*) FROM address"), 0);
    let abroad = json!({ "kind": "company", "name": "Werk GmbH", "tax_office": "Ümraniye", "tax_number": "1234567890",
                         "country": "DE", "city": "Köln", "lines": ["Am Ufer 1"], "postal_code": "D-50667",
                         "phone": "+492211234567" });
    let kept = add(&world, &who, abroad.clone()).await;
    assert_eq!(kept["buyer"]["address"], "Am Ufer 1, D-50667 Köln, DE");
    assert_eq!(
        (&kept["invoice_details"]["district"], &kept["invoice_details"]["country"]),
        (&json!("Köln"), &json!("DE"))
    );
    let somebody = json!({ "kind": "individual", "tax_office": null, "tax_number": null });
    add(&world, &who, with(abroad, somebody)).await;
}

#[tokio::test]
async fn the_longest_address_is_one_that_an_order_takes() {
    let world = World::new();
    let who = somebody(&world, "192.0.2.1", EMAIL).await;
    let (line, place) = ("Ş".repeat(80), "İ".repeat(60));
    let longest =
        json!({ "lines": [line, line, line], "district": place, "city": place, "name": "Ğ".repeat(200) });
    let kept = add(&world, &who, with(home(), longest)).await;
    assert!(kept["buyer"]["address"].as_str().unwrap().chars().count() <= 400);
    assert!(kept["invoice_details"]["street"].as_str().unwrap().chars().count() <= 250);
}

#[tokio::test]
async fn somebody_keeps_twenty_addresses_also_when_many_come_at_once() {
    for (is_lax, kept) in [(false, 20), (true, 26)] {
        let world = World::new();
        let who = somebody(&world, "192.0.2.1", EMAIL).await;
        for _ in 0..18 {
            add(&world, &who, home()).await;
        }
        let router = world.racing("FROM person", 8, is_lax);
        let asked = (0..8).map(|_| {
            let (router, request) = (router.clone(), request(&who, Method::POST, ADDRESSES, home()));
            tokio::spawn(async move { send(&router, request).await })
        });
        for asked in asked.collect::<Vec<_>>() {
            assert!(matches!(asked.await.unwrap(), 201 | 409));
        }
        assert_eq!(list(&world, &who).await.len(), kept);
        assert_eq!(defaults(&list(&world, &who).await).iter().filter(|is_default| **is_default).count(), 1);
        if !is_lax {
            let refused = world.post(&who, ADDRESSES, home()).await;
            assert_eq!((refused.status, refused.slug()), (409, "/problems/too-many-addresses"));
        }
    }
}

#[tokio::test]
async fn nobody_sees_or_changes_anothers_addresses() {
    let world = World::new();
    let who = somebody(&world, "192.0.2.1", EMAIL).await;
    let other = somebody(&world, "192.0.2.2", "ayse@example.org").await;
    let kept = add(&world, &who, home()).await;
    let own = add(&world, &other, company()).await;
    assert_eq!(list(&world, &other).await, [own]);
    for method in [Method::PUT, Method::DELETE] {
        for path in [
            path(&kept),
            format!("{ADDRESSES}/1"),
            format!("{ADDRESSES}/01890000-0000-7000-8000-00000000dead"),
        ] {
            let body =
                if method == Method::PUT { with(home(), json!({ "is_default": true })) } else { Value::Null };
            world.send(&other, method.clone(), &path, body).await.expect(404);
        }
    }
    assert_eq!(list(&world, &who).await, std::slice::from_ref(&kept));
    let elsewhere = From { host: OTHER_HOST, ..who.clone() };
    world.send(&elsewhere, Method::GET, ADDRESSES, Value::Null).await.expect(401);
    let nobody = From { token: None, host: HOST, ..who.clone() };
    world.send(&nobody, Method::GET, ADDRESSES, Value::Null).await.expect(401);
    world.wait(ACCESS_TOKEN_SECONDS + 60);
    world.send(&who, Method::DELETE, &path(&kept), Value::Null).await.expect(401);
}

#[tokio::test]
async fn what_somebody_of_the_same_id_keeps_in_another_academy_takes_no_room_and_stays_as_it_is() {
    let world = World::new();
    let who = somebody(&world, "192.0.2.1", EMAIL).await;
    let columns = "id, email_lookup, profile, password_hash, state, version, created_at";
    let other = tenant(2);
    let person = format!("INSERT INTO person (tenant_id, {columns}) SELECT '{other}', {columns} FROM person");
    world.execute(person.leak());
    for n in 0..20 {
        let address = format!(
            "INSERT INTO address SELECT tenant_id, 'a{n}', id, x'00', {}, 0 FROM person WHERE tenant_id = '{other}'",
            i32::from(n == 7),
        );
        world.execute(address.leak());
    }
    let kept = add(&world, &who, with(home(), json!({ "is_default": true }))).await;
    world.send(&who, Method::PUT, &path(&kept), home()).await.expect(200);
    assert_eq!(list(&world, &who).await.len(), 1);
    world.send(&who, Method::DELETE, &path(&kept), Value::Null).await.expect(204);
    assert_eq!(world.count("SELECT count(*) FROM address"), 20);
    assert_eq!(world.count("SELECT count(*) FROM address WHERE is_default = 1 AND id = 'a7'"), 1);
}

#[tokio::test]
async fn an_account_that_goes_takes_its_addresses_along() {
    let world = World::new();
    let who = somebody(&world, "192.0.2.1", EMAIL).await;
    add(&world, &who, home()).await;
    world.execute("DELETE FROM person");
    assert_eq!(world.count("SELECT count(*) FROM address"), 0);
    assert_eq!(world.post(&who, ADDRESSES, home()).await.status, 401);
}
