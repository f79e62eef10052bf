//! What the feed makes of the other plane's events.

use crate::setup::{NOW, Setup, issued, revoked};
use akademi_edge_store::Value;
use akademi_feed::LambdaEvent;

const CERTIFICATES: &str = "SELECT serial, title, holder, issued_at, revoked_at FROM certificate";
const GENERATIONS: &str = "SELECT generation FROM tenant ORDER BY slug";

#[test]
fn a_repeated_event_changes_nothing_and_never_takes_a_revocation_back() {
    let setup = Setup::new();
    setup.feed(&[issued(1, "Ada", "Ders")]);
    let before = setup.rows(CERTIFICATES);
    setup.feed(&[issued(1, "Ada", "Ders"), issued(1, "Başka Ad", "Başka Ders")]);
    assert_eq!(setup.rows(CERTIFICATES), before);

    setup.feed(&[revoked(1, NOW.plus_seconds(60))]);
    let taken_back = setup.rows(CERTIFICATES);
    assert_eq!(taken_back[0][4], Value::from(NOW.plus_seconds(60)));
    setup.feed(&[revoked(1, NOW.plus_seconds(120)), issued(1, "Ada", "Ders")]);
    assert_eq!(setup.rows(CERTIFICATES), taken_back, "the first date stays");
}

#[test]
fn a_revocation_moves_the_generation_of_its_academy_alone() {
    let setup = Setup::new();
    let generations = || setup.rows(GENERATIONS).into_iter().flatten().collect::<Vec<_>>();
    setup.feed(&[issued(1, "Ada", "Ders")]);
    assert_eq!(generations(), [Value::Integer(1), Value::Integer(1)], "no public page shows a certificate");
    setup.feed(&[revoked(1, NOW)]);
    assert_eq!(generations(), [Value::Integer(1), Value::Integer(2)]);
}

#[test]
fn a_name_arrives_sealed_and_stays_so() {
    let setup = Setup::new();
    setup.feed(&[issued(1, "Şükrü Iğdır", "Ders")]);
    let Value::Blob(holder) = &setup.rows(CERTIFICATES)[0][2] else { panic!("no bytes") };
    assert!(holder.len() > 40 && !String::from_utf8_lossy(holder).contains("kr"));
}

#[test]
fn an_event_that_cannot_be_read_leaves_its_batch_unapplied() {
    let setup = Setup::new();
    let mut unreadable = issued(2, "Ada", "Ders");
    if let LambdaEvent::CertificateIssued { holder, .. } = &mut unreadable {
        *holder = "no hex".into();
    }
    assert_eq!(setup.try_feed(1, &[issued(1, "Ada", "Ders"), unreadable]).status, 500);
    assert!(setup.rows(CERTIFICATES).is_empty());
    assert!(setup.rows("SELECT number FROM feed_cursor").is_empty());
}
