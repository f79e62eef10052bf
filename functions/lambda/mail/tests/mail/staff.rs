//! What staff see and do.

use http::Method;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

use crate::academy::{World, learner, mail_id, staff, wanted};

#[tokio::test]
async fn pages_follow_one_another_newest_first_and_may_be_of_one_state() {
    let world = World::new().await;
    for n in 1..=5 {
        world.want(1, &wanted(n)).await;
    }
    world
        .execute(&format!("DELETE FROM person_key WHERE user_id < '{}'", crate::academy::person(3).as_uuid()))
        .await;
    world.deliver().await;
    for (filter, expected) in [
        ("", vec![5, 4, 3, 2, 1]),
        ("&state=sent", vec![5, 4, 3]),
        ("&state=failed", vec![2, 1]),
        ("&state=queued", vec![]),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let target = format!("/api/v1/mails?limit=2{filter}{cursor}");
            let (status, page) = world.call(staff(1), Method::GET, &target).await;
            assert_eq!(status, 200, "{page}");
            seen.extend(page["data"].as_array().unwrap().iter().map(|mail| mail["id"].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let expected: Vec<Value> = expected.into_iter().map(|n| json!(mail_id(n))).collect();
        assert_eq!(seen, expected, "{filter}");
    }
}

#[tokio::test]
async fn only_a_mail_that_failed_is_sent_again_and_once_however_many_ask() {
    let world = World::new().await;
    world.want(1, &wanted(1)).await;
    let slug = |answer: &Value| answer["type"].as_str().unwrap().to_owned();
    let (status, answer) = world.retry(staff(1), 1).await;
    assert_eq!((status, slug(&answer)), (409, "/problems/not-failed".into()), "it waits");
    world.server.answer(&crate::academy::address(1), &["550 5.1.1 no"]);
    world.deliver().await;
    assert_eq!(world.wakes.0.load(Ordering::SeqCst), 0);
    let tries = futures::future::join_all((0..8).map(|_| world.retry(staff(1), 1))).await;
    let mut statuses: Vec<_> = tries.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(world.wakes.0.load(Ordering::SeqCst), 1, "it leaves within seconds");
    assert_eq!(world.deliver().await.sent, 1);
    assert_eq!(world.retry(staff(1), 1).await.0, 409, "it was sent");
    assert_eq!(world.server.taken(1).len(), 1);
    assert_eq!(world.retry(staff(1), 9).await.0, 404);
    let audited = world.texts("SELECT action || ' ' || target FROM audit_entry").await;
    assert_eq!(audited, [format!("mail.retried mail:{}", mail_id(1))], "one of them did it");
}

#[tokio::test]
async fn only_staff_see_mail_and_wrong_parameters_are_named() {
    let world = World::new().await;
    assert_eq!(world.call(learner(1), Method::GET, "/api/v1/mails").await.0, 403);
    assert_eq!(world.retry(learner(1), 1).await.0, 403);
    for query in ["limit=0", "limit=101", "cursor=x", "cursor=NTpmZg", "state=lost", "to=a"] {
        let (status, answer) = world.call(staff(1), Method::GET, &format!("/api/v1/mails?{query}")).await;
        let field = query.split_once('=').unwrap().0;
        assert!(status == 422 && answer["errors"].to_string().contains(field), "{query}: {answer}");
    }
}
