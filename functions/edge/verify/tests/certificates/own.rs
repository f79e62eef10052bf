//! `GET /api/v1/users/me/certificates`.

use crate::setup::{KADIKOY, NOW, Setup, UMRANIYE, course, issued, person, revoked, serial};
use akademi_feed::LambdaEvent;
use serde_json::{Value, json};

/// Certificate `n` of person 1, issued `n` seconds after the first.
fn certificate(n: u8) -> LambdaEvent {
    let mut event = issued(n, "Ada", &format!("Ders {n}"));
    if let LambdaEvent::CertificateIssued { person: holder, issued_at, .. } = &mut event {
        *holder = person(1);
        *issued_at = NOW.plus_seconds(n.into());
    }
    event
}

fn titles(answer: &Value) -> Vec<&str> {
    answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["course"]["title"].as_str().unwrap())
        .collect()
}

#[test]
fn ones_own_certificates_come_newest_first_page_by_page() {
    let setup = Setup::new();
    setup.feed(&[certificate(2), certificate(1), certificate(4), certificate(3), issued(9, "Can", "Başka")]);
    setup.feed(&[revoked(3, NOW.plus_seconds(9))]);
    let first = setup.own(UMRANIYE, 1, 1, "?limit=3").json();
    assert_eq!(titles(&first), ["Ders 4", "Ders 3", "Ders 2"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = setup.own(UMRANIYE, 1, 1, &format!("?limit=3&cursor={cursor}")).json();
    assert_eq!(titles(&second), ["Ders 1"]);
    assert_eq!(second["next_cursor"], Value::Null);

    let path = format!("/api/v1/certificates/{}/pdf", serial(4));
    let wanted = json!({
        "serial": serial(4),
        "status": "valid",
        "course": { "id": course(4), "title": "Ders 4" },
        "completed_at": "2026-11-20T22:30:00Z",
        "issued_at": "2026-11-21T22:30:04Z",
        "revoked_at": null,
        "pdf": path,
        "verify": format!("/verify/{}", serial(4)),
    });
    assert_eq!(first["data"][0], wanted);
    let taken_back = &first["data"][1];
    assert_eq!((&taken_back["status"], &taken_back["pdf"]), (&json!("revoked"), &Value::Null));
    assert_eq!(taken_back["revoked_at"], "2026-11-21T22:30:09Z");
}

#[test]
fn nobody_sees_somebody_elses_list() {
    let setup = Setup::new();
    setup.feed(&[certificate(1)]);
    assert!(titles(&setup.own(UMRANIYE, 1, 2, "").json()).is_empty());
    assert!(titles(&setup.own(KADIKOY, 2, 1, "").json()).is_empty(), "the same person at another academy");
    assert_eq!(setup.own(KADIKOY, 1, 1, "").status, 401, "a token of another academy");
    assert_eq!(setup.get(UMRANIYE, "/api/v1/users/me/certificates").status, 401);
}

#[test]
fn what_is_no_page_of_the_list_is_told_by_its_parameter() {
    let setup = Setup::new();
    for (query, field) in
        [("?limit=0", "limit"), ("?limit=101", "limit"), ("?cursor=x", "cursor"), ("?page=2", "page")]
    {
        let answer = setup.own(UMRANIYE, 1, 1, query);
        assert_eq!((answer.status, &answer.json()["errors"][0]["field"]), (422, &json!(field)), "{query}");
    }
}

#[test]
fn a_list_is_one_statement_after_the_academys_that_reads_in_its_index_order() {
    let setup = Setup::new();
    setup.feed(&[certificate(1)]);
    let mut statements = setup.queries_of(|| assert_eq!(setup.own(UMRANIYE, 1, 1, "").status, 200));
    assert_eq!(statements.len(), 2, "{statements:?}");
    let plan = setup.plan_of(statements.remove(1));
    assert!(plan.contains("certificate_of_person") && !plan.contains("SCAN"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}
