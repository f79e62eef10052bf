//! `GET /api/v1/certificates/{serial}`.

use crate::setup::{KADIKOY, NOW, Setup, UMRANIYE, course, issued, person, revoked, serial};
use akademi_feed::LambdaEvent;
use serde_json::{Value, json};

const NAME: &str = "Şükrü Iğdır Çağlayangöl";

#[test]
fn a_certificate_says_what_it_is_for_and_whose() {
    let setup = Setup::new();
    setup.feed(&[issued(1, NAME, "İklim ve Işık: Açık Ders")]);
    let answer = setup.check(1);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let wanted = json!({
        "serial": serial(1),
        "status": "valid",
        "holder": NAME,
        "course": { "id": course(1), "title": "İklim ve Işık: Açık Ders" },
        "academy": { "name": "Ümraniye Açık Akademi" },
        "completed_at": "2026-11-20T22:30:00Z",
        "issued_at": "2026-11-21T22:30:00Z",
        "revoked_at": null,
    });
    assert_eq!(answer.json(), wanted);
    assert_eq!(answer.header("cache-control"), "no-store", "it names a person");
    assert!(!setup.log().contains("Şükrü") && !setup.log().contains(&serial(1).to_string()));
}

#[test]
fn a_revoked_certificate_says_since_when() {
    let setup = Setup::new();
    setup.feed(&[issued(1, NAME, "Ders"), revoked(1, NOW.plus_seconds(60))]);
    let answer = setup.check(1).json();
    assert_eq!((&answer["status"], &answer["holder"]), (&json!("revoked"), &json!(NAME)));
    assert_eq!(answer["revoked_at"], "2026-11-21T22:31:00Z");
}

#[test]
fn an_erased_holder_has_no_name_and_the_certificate_stays() {
    let setup = Setup::new();
    let mut never_known = issued(2, NAME, "Ders");
    if let LambdaEvent::CertificateIssued { holder, .. } = &mut never_known {
        holder.clear();
    }
    setup.feed(&[issued(1, NAME, "Ders"), never_known]);
    assert_eq!(setup.check(1).json()["holder"], NAME);
    setup.erase(1);
    for n in [1, 2] {
        let answer = setup.check(n);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!((&answer.json()["holder"], &answer.json()["status"]), (&Value::Null, &json!("valid")));
    }
}

#[test]
fn a_name_that_was_sealed_for_somebody_else_is_never_shown() {
    let setup = Setup::new();
    let mut forged = issued(1, NAME, "Ders");
    if let LambdaEvent::CertificateIssued { person: holder, .. } = &mut forged {
        *holder = person(2);
    }
    setup.feed(&[forged]);
    let answer = setup.check(1);
    assert_eq!(answer.status, 500);
    assert!(!answer.body.contains(NAME) && setup.log().contains("sealed data does not open"));
}

#[test]
fn what_this_academy_did_not_issue_is_not_found() {
    let setup = Setup::new();
    setup.feed(&[issued(1, NAME, "Ders")]);
    // The other academy knows the same person, with the same key.
    setup.give_key(2, 1);
    let known = serial(1).to_string();
    for (host, serial) in [
        (KADIKOY, known.as_str()),
        (UMRANIYE, &serial(2).to_string()),
        (UMRANIYE, &known[1..]),
        (UMRANIYE, &known.replace('1', "A")),
        (UMRANIYE, &format!("{known}0")),
        (UMRANIYE, "%27%20OR%201=1"),
        (UMRANIYE, "%ff"),
        (UMRANIYE, "%00"),
    ] {
        let answer = setup.get(host, &format!("/api/v1/certificates/{serial}"));
        assert_eq!(answer.status, 404, "{host} {serial}: {}", answer.body);
        assert_eq!(answer.json()["type"], "/problems/not-found");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    setup.feed_to(2, &[issued(1, "Somebody Else", "Course")]);
    setup.feed_to(2, &[revoked(1, NOW)]);
    assert_eq!(setup.check(1).json()["status"], "valid", "another academy revokes its own");
}

#[test]
fn a_check_is_one_statement_after_the_academys_and_finds_its_rows_by_key() {
    let setup = Setup::new();
    setup.feed(&[issued(1, NAME, "Ders")]);
    for path in ["/api/v1/certificates", "/verify"] {
        let path = format!("{path}/{}", serial(1));
        let mut statements = setup.queries_of(|| assert_eq!(setup.get(UMRANIYE, &path).status, 200));
        assert_eq!(statements.len(), 2, "{statements:?}");
        assert!(statements[0].sql.contains("FROM domain"), "the gate's");
        let plan = setup.plan_of(statements.remove(1));
        assert!(!plan.contains("SCAN") && plan.matches("USING PRIMARY KEY").count() == 2, "{plan}");
    }
}
