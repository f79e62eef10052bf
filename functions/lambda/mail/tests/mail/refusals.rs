//! Servers that do not take a mail, now or ever.

use akademi_mail::Delivered;
use serde_json::{Value, json};

use crate::academy::{NAME, World, address, mail_id, person, staff, wanted};

const LATER: &str = "451 4.3.2 <ogrenci1@example.com> greylisted, try later";
const NEVER: &str = "550 5.1.1 <ogrenci1@example.com>: no such user";

#[tokio::test]
async fn what_a_server_puts_off_is_tried_again_and_arrives_once() {
    let world = World::new().await;
    world.server.answer(&address(1), &[LATER, "drop"]);
    world.want(1, &wanted(1)).await;
    let first = world.deliver().await;
    assert_eq!(first, Delivered { put_off: 1, due_in_seconds: Some(5), ..Delivered::default() });
    let listed = world.listed(1, "").await;
    assert_eq!((&listed[0]["state"], &listed[0]["attempts"]), (&json!("queued"), &json!(1)));
    assert_eq!(listed[0]["reason"], "the mail server put it off (451)");
    assert_eq!(world.deliver().await, Delivered::default(), "not before its time");
    world.clock.advance_seconds(5);
    assert_eq!(world.deliver().await.due_in_seconds, Some(10));
    assert_eq!(world.listed(1, "").await[0]["reason"], "the mail server cannot be reached, or broke off");
    world.clock.advance_seconds(10);
    assert_eq!(world.deliver().await.sent, 1);
    world.clock.advance_seconds(3600);
    assert_eq!(world.deliver().await, Delivered::default());
    assert_eq!(world.server.taken(1).len(), 1);
    let listed = world.listed(1, "").await;
    assert_eq!((&listed[0]["state"], &listed[0]["attempts"]), (&json!("sent"), &json!(3)));
    assert_eq!((&listed[0]["reason"], &listed[0]["sent_at"]), (&Value::Null, &json!("2026-09-21T14:13:35Z")));
}

#[tokio::test]
async fn what_a_server_refuses_fails_at_once_and_staff_send_it_again() {
    let world = World::new().await;
    world.server.answer(&address(1), &[NEVER]);
    world.want(1, &wanted(1)).await;
    assert_eq!(world.deliver().await, Delivered { failed: 1, ..Delivered::default() });
    let listed = world.listed(1, "?state=failed").await;
    assert_eq!(
        listed,
        [json!({
            "id": mail_id(1), "kind": "reset_password", "person": person(1), "state": "failed", "attempts": 1,
            "reason": "the mail server refused it (550)", "created_at": "2026-09-21T14:13:20Z", "sent_at": null,
        })]
    );
    world.clock.advance_seconds(3600 / 4);
    assert_eq!(world.deliver().await, Delivered::default(), "nobody tries again by themselves");
    let (status, answer) = world.retry(staff(1), 1).await;
    assert_eq!((status, &answer["state"]), (202, &json!("queued")), "{answer}");
    assert_eq!(world.deliver().await.sent, 1);
    assert_eq!(world.server.taken(1).len(), 1);
    assert_eq!(world.listed(1, "").await[0]["state"], "sent");
}

#[tokio::test]
async fn a_mail_is_given_up_after_a_day() {
    let world = World::new().await;
    world.server.answer(&address(1), &[LATER; 200]);
    let invitation = crate::academy::Wanted { kind: akademi_domain::mail::MailKind::Invitation, ..wanted(1) };
    world.want(1, &invitation).await;
    let (mut attempts, mut seconds) = (0, 0);
    let last = loop {
        let delivered = world.deliver().await;
        attempts += delivered.put_off + delivered.failed;
        let Some(pause) = delivered.due_in_seconds else { break delivered };
        seconds += pause;
        world.clock.advance_seconds(pause as i64);
    };
    assert_eq!(last.failed, 1);
    assert!((85_000..=86_400).contains(&seconds) && (90..120).contains(&attempts), "{seconds} s, {attempts}");
    assert_eq!(world.listed(1, "").await[0]["reason"], "given up: the mail server put it off (451)");
    // Staff may have it tried for another day.
    assert_eq!(world.retry(staff(1), 1).await.0, 202);
    assert_eq!(world.deliver().await.due_in_seconds, Some(5));
}

#[tokio::test]
async fn a_link_that_opens_nothing_any_more_is_not_sent() {
    let world = World::new().await;
    world.want(1, &wanted(1)).await;
    world.clock.advance_seconds(30 * 60);
    assert_eq!(world.deliver().await.failed, 1);
    assert_eq!(world.listed(1, "").await[0]["reason"], "its link is no longer good");
    assert_eq!(world.server.taken(0).len(), 0);
}

#[tokio::test]
async fn somebody_who_was_erased_gets_nothing() {
    let world = World::new().await;
    world.want(1, &wanted(1)).await;
    world.execute("DELETE FROM person_key").await;
    assert_eq!(world.deliver().await.failed, 1);
    assert_eq!(world.listed(1, "").await[0]["reason"], "recipient erased");
    assert_eq!(world.server.taken(0).len(), 0);
}

#[tokio::test]
async fn neither_the_tables_nor_the_log_hold_an_address_a_name_or_a_token() {
    let world = World::new().await;
    world.server.answer(&address(1), &[LATER, NEVER]);
    world.want(1, &wanted(1)).await;
    world.want(1, &wanted(2)).await;
    world.deliver().await;
    world.clock.advance_seconds(5);
    world.deliver().await;
    let taken = world.server.taken(1);
    let token = taken[0].parsed().body_text(0).unwrap().split("token=").nth(1).unwrap()[..64].to_owned();
    let mut kept = world.texts("SELECT mail::text FROM mail UNION ALL SELECT job::text FROM job").await;
    assert_eq!(kept.len(), 4);
    kept.extend(world.log.0.lock().unwrap().clone());
    assert_eq!(kept.len(), 6, "two attempts sent nothing, and the log says so");
    let kept = kept.join("\n");
    assert!(kept.contains("reset_password") && kept.contains("(550)"), "{kept}");
    // PostgreSQL shows bytes in hexadecimal digits.
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for secret in ["ogrenci", "example.com", NAME, "Şükrü", "kr\u{fc}", &token] {
        let is_host = secret == "example.com";
        assert!(is_host || !kept.contains(secret), "{secret} stands in {kept}");
        assert!(!kept.contains(&hex(secret)), "{secret} stands in {kept}");
    }
    assert!(!kept.contains("@example.com"));
}
