//! All that is kept of somebody is told to them, and no table is forgotten.

use akademi_local::api_client::JsonExt;
use http::StatusCode;
use serde_json::{Value, json};
use sqlx::Row;
use std::collections::BTreeSet;

use crate::{
    dump::{books_tables, edge_tables},
    world::{CONSENT, EMAIL, NAME, PASSWORD, REVIEW, STREET, TAX_NUMBER, World},
};

/// Tables that name somebody and are not told of, and why.
const NOT_TOLD: &[(&str, &str)] = &[
    ("person_key", "the key under which what is told was sealed"),
    ("tombstone", "of nobody who can ask"),
    ("idempotency", "answers that they had, for three days"),
    ("person_name_prefix", "keyed hashes of the name, which is told"),
    ("pending_person", "who waits is no person yet"),
    ("one_time_link", "that a password was forgotten stands in the audit log; the row goes within a day"),
    ("passkey_challenge", "random numbers that they were shown, for five minutes"),
    ("recovery_code", "hashes of secrets that they hold themselves"),
    ("learner_clock", "the bound of their progress, of which each lesson is told"),
    ("delivery", "what was sent to be watched, for two days; what was watched is told"),
    (
        "activation_batch",
        "what staff made belongs to the academy; that they made it stands in their audit entries",
    ),
    ("consent_text", "as activation_batch"),
    ("course", "the copy of a row that stands in course_draft"),
    ("course_draft", "as activation_batch"),
    ("course_publication", "as activation_batch"),
    ("image", "as activation_batch"),
    ("feed_event", "on its way to the table that is told of"),
    ("order_line", "told with its order"),
    ("reservation", "as order_line"),
    ("purchase", "as order_line"),
    ("spent_coupon", "the copy of a row that is told of"),
    ("cart", "what is in it is told"),
];

fn names_somebody(column: &str) -> bool {
    let ends = ["person_id", "user_id", "owner_id", "_by", "actor", "sealed_for"];
    ends.iter().any(|end| column.ends_with(end)) && column != "captured_by"
}

/// Tables that name somebody and stand in neither list.
fn forgotten(tables: impl Iterator<Item = String>, told: &BTreeSet<&str>) -> Vec<String> {
    let is_listed =
        |table: &String| told.contains(table.as_str()) || NOT_TOLD.iter().any(|(name, _)| name == table);
    tables.filter(|table| !is_listed(table)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_that_names_somebody_is_told_of_or_has_a_reason() {
    let world = World::new().await;
    let told_of = |tables: Vec<&'static str>| BTreeSet::from_iter(tables);
    let edge = told_of(akademi_privacy::exported_tables().collect());
    let books = told_of(akademi_sync::recorded_tables().collect());

    let columns = world.edge_rows(
        "SELECT t.name AS tables, c.name AS columns FROM pragma_table_list AS t, pragma_table_info(t.name) AS c \
         WHERE t.type = 'table' AND t.schema = 'main'",
    );
    let columns = columns.await;
    let naming =
        columns.iter().filter(|row| names_somebody(row.text(1).unwrap()) || row.text(0).unwrap() == "person");
    let naming: BTreeSet<String> = naming.map(|row| row.text(0).unwrap().to_owned()).collect();
    println!("edge: {} tables name somebody", naming.len());
    assert!(naming.len() > 12);
    assert_eq!(forgotten(naming.into_iter(), &edge), Vec::<String>::new());

    let mut superuser = world.database.superuser().await.unwrap();
    let columns = sqlx::query(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    let naming: BTreeSet<String> = columns
        .iter()
        .map(|row| (row.get::<String, _>(0), row.get::<String, _>(1)))
        .filter(|(table, column)| names_somebody(column) || table == "person")
        .map(|(table, _)| table)
        .collect();
    println!("books: {} tables name somebody", naming.len());
    assert!(naming.len() > 12);
    assert_eq!(forgotten(naming.into_iter(), &books), Vec::<String>::new());

    // Names of columns may not tell: whoever has lived here stands in no other table either.
    let life = world.live().await;
    let holding = |tables: Vec<(String, String)>| -> BTreeSet<String> {
        tables.into_iter().filter(|(_, rows)| rows.contains(&life.id)).map(|(table, _)| table).collect()
    };
    let (edge_holds, books_hold) = (holding(edge_tables(&world).await), holding(books_tables(&world).await));
    assert!(edge_holds.len() > 8 && books_hold.len() > 8, "{edge_holds:?} {books_hold:?}");
    assert_eq!(forgotten(edge_holds.into_iter(), &edge), Vec::<String>::new());
    assert_eq!(forgotten(books_hold.into_iter(), &books), Vec::<String>::new());
    // A table that is taken from the list is missed.
    let fewer = edge.iter().copied().filter(|table| *table != "session").collect();
    assert_eq!(forgotten(std::iter::once("session".to_owned()), &fewer), ["session"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_has_all_of_their_life_and_nothing_of_others() {
    let world = World::new().await;
    let life = world.live().await;
    let (_, other) = world.join("Ayşe Öğrenci", "ayse@posta.example").await;
    world.sync().await;
    let export = life.client.get("/api/v1/users/me/export").await.unwrap();
    let told = export.expect(StatusCode::OK).unwrap();
    let at = |pointer: &str| told.pointer(pointer).cloned().unwrap_or(Value::Null);
    assert_eq!(at("/account/person/0/profile"), json!({ "name": NAME, "email": EMAIL }));
    assert_eq!(at("/account/certificate/0/certificate_holder"), NAME);
    assert_eq!(at("/books/certificate/0/certificate_holder"), NAME);
    assert_eq!(at("/account/consent/0/given"), 1);
    assert!(
        at("/account/consent/0/consent/address")
            .as_str()
            .is_some_and(|address| address.contains("127.0.0.1"))
    );
    assert_eq!(at("/account/consent/0/digest").as_str().unwrap().to_lowercase(), digest(CONSENT));
    assert_eq!(at("/books/customer_order/0/id"), life.order.as_str());
    assert_eq!(at("/books/customer_order/0/lines/0/title"), "Işığın Yolculuğu");
    assert!(at("/books/customer_order/0/paid_at").as_str().is_some_and(|at| at.ends_with('Z')));
    assert_eq!(at("/books/mail/0/mail/email"), EMAIL);
    assert!(at("/account/activation_use/0/used_at").is_string());
    assert_eq!((at("/account/review/0/text"), at("/account/review/0/stars")), (json!(REVIEW), json!(5)));
    assert!(at("/account/course_like/0/created_at").is_string());
    assert_eq!(at("/files/0"), format!("/api/v1/certificates/{}/pdf", life.certificate));
    let invoice = |field: &str| at(&format!("/books/invoice/0/{field}"));
    assert_eq!((invoice("order_id"), invoice("total")), (json!(life.order), json!(12_000)));
    assert!(invoice("number").as_str().is_some_and(|number| number.starts_with("EAR")));
    assert!(invoice("issued_at").as_str().is_some_and(|at| at.ends_with('Z')));
    let document = at("/files/1").as_str().unwrap().to_owned();
    let document = life.client.get(&document).await.unwrap();
    let xml = String::from_utf8(document.body.to_vec()).unwrap();
    assert!(document.status == StatusCode::OK && xml.contains(TAX_NUMBER) && xml.contains(STREET), "{xml}");
    let details = at("/books/invoice_details");
    assert_eq!(details.as_array().map(Vec::len), Some(1), "what is in an invoice is kept nowhere else");
    assert_eq!(details[0]["order_id"], life.free_order.as_str());
    assert_eq!(details[0]["invoice-details"]["tax_number"], TAX_NUMBER);
    let kinds: Vec<_> =
        at("/books/mail").as_array().unwrap().iter().map(|mail| mail["kind"].clone()).collect();
    assert!(kinds.contains(&json!("invoice_issued")), "{kinds:?}");
    let actions: Vec<_> =
        at("/books/audit_entry").as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert!(actions.contains(&json!("sign_in.succeeded")), "{actions:?}");
    for table in akademi_privacy::exported_tables() {
        assert!(at(&format!("/account/{table}")).is_array(), "{table}");
    }
    for table in akademi_sync::recorded_tables() {
        assert!(at(&format!("/books/{table}")).is_array(), "{table}");
    }
    let text = told.to_string();
    assert!(!text.contains(&other) && !text.contains("ayse@posta.example"));
    assert!(!text.contains(PASSWORD) && !text.contains("argon2"));
    world.sync().await;
    assert_eq!(world.books_count("audit_entry", "action = 'person.exported'").await, 1);
    // Nobody has it by a token alone.
    world.edge_execute("UPDATE session SET authenticated_at = 0").await;
    let asked = life.client.get("/api/v1/users/me/export").await.unwrap();
    assert_eq!(
        asked.expect(StatusCode::FORBIDDEN).unwrap().text("type").unwrap(),
        "/problems/step-up-required"
    );
}

fn digest(text: &str) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(text))
}
