//! Files that a virus scanner holds back.

use http::Method;
use serde_json::{Value, json};

use crate::{
    academy::{World, instructor},
    attaching::attach,
    clamd::{Clamd, Mood, VIRUS},
    import_world::{real_file, stored},
    uploads::{actions, complete, links, path, picture, reserved, sent},
};

const LOOKS: Mood = Mood::Looks { limit: 25 << 20 };

/// A PDF of 3 MiB, as far as its beginning tells, with this in the middle.
fn document(middle: &[u8]) -> Vec<u8> {
    let mut content = b"%PDF-1.7\n".to_vec();
    content.resize(2 << 20, b'x');
    content.extend(middle);
    content.resize(3 << 20, b'y');
    content
}

#[tokio::test]
async fn a_file_is_complete_when_the_scanner_has_seen_all_of_it_and_found_nothing() {
    let clamd = Clamd::start(LOOKS).await;
    let world = World::scanned_by(Some(clamd.address.clone())).await;
    let content = document(b"");
    let upload = sent(&world, "k", "document", &content).await;
    let whole = complete(&world, instructor(1), &upload).await.expect(200);
    assert_eq!((&whole["state"], &whole["content_type"]), (&json!("complete"), &json!("application/pdf")));
    assert!(clamd.seen() == [content], "all bytes, once");
    assert_eq!(complete(&world, instructor(1), &upload).await.expect(200), whole);
    assert_eq!(world.get(instructor(1), &path(&upload)).await.expect(200), whole);
    assert_eq!(clamd.seen().len(), 1, "who is complete is not scanned again");
    assert_eq!(actions(&world).await, ["upload.requested", "upload.parts_announced", "upload.completed"]);
}

#[tokio::test]
async fn an_infected_file_is_refused_and_leaves_nothing() {
    let clamd = Clamd::start(LOOKS).await;
    let world = World::scanned_by(Some(clamd.address.clone())).await;
    // Across the border of two chunks.
    let mut content = document(b"");
    let border = (1 << 20) - VIRUS.len() / 2;
    content[border..border + VIRUS.len()].copy_from_slice(VIRUS);
    let upload = sent(&world, "k", "document", &content).await;
    let refused = complete(&world, instructor(1), &upload).await;
    assert_eq!((refused.status.as_u16(), refused.problem().0), (422, "infected"));
    assert_eq!(refused.body["detail"], "The file holds a virus (Akademi.Test-1): it was deleted.");
    assert_eq!((reserved(&world).await, stored(&world, instructor(1).tenant)), (json!(0), vec![]));
    assert_eq!(world.get(instructor(1), &path(&upload)).await.status, 404);
    assert_eq!(complete(&world, instructor(1), &upload).await.status, 404);
    let mut superuser = world.database.superuser().await.unwrap();
    let (action, change): (String, Value) =
        sqlx::query_as("SELECT action, change FROM audit_entry ORDER BY number DESC LIMIT 1")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
    assert_eq!(
        (action.as_str(), &change["after"]),
        ("upload.refused", &json!({ "virus": "Akademi.Test-1" }))
    );
}

#[tokio::test]
async fn without_a_verdict_a_file_is_held_back_and_asked_about_again() {
    let clamd = Clamd::start(Mood::HangsUp).await;
    let world = World::scanned_by(Some(clamd.address.clone())).await;
    let (author, content) = (instructor(1), document(b""));
    let (course, _) = world.create(author, "Işık").await;
    let upload = sent(&world, "k", "document", &content).await;
    for mood in [
        Mood::HangsUp,
        Mood::Says(""),
        Mood::Says("UNKNOWN COMMAND"),
        Mood::Says("stream: OK\n"),
        Mood::Looks { limit: 1 << 20 },
    ] {
        clamd.turns(mood);
        let held = complete(&world, author, &upload).await.expect(200);
        assert_eq!((&held["state"], &held["content_type"]), (&json!("scanning"), &json!("application/pdf")));
        assert_eq!(world.get(author, &path(&upload)).await.expect(200)["state"], "scanning", "{mood:?}");
    }
    // It is nothing yet: no file of a course, and nothing more can be sent of it.
    let refused = attach(&world, author, &course, &upload).await;
    assert_eq!((refused.status.as_u16(), refused.problem().0), (409, "upload-incomplete"));
    assert_eq!(links(&world, author, &upload, &[(1, &content)]).await.status, 409);
    assert_eq!(reserved(&world).await, content.len());
    clamd.turns(LOOKS);
    assert_eq!(world.get(author, &path(&upload)).await.expect(200)["state"], "complete", "looking asks too");
    attach(&world, author, &course, &upload).await.expect(201);
}

#[tokio::test]
async fn while_the_scanner_is_away_nothing_goes_through_and_the_night_takes_it() {
    let gone = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let world = World::scanned_by(Some(gone)).await;
    let upload = sent(&world, "k", "image", &picture(5000)).await;
    assert_eq!(complete(&world, instructor(1), &upload).await.expect(200)["state"], "scanning");
    // After a day; its owner may take it away before.
    let mut platform = world.database.postgres().platform().await.unwrap();
    let due = platform.give_up_uploads(world.ports.now().plus_seconds(24 * 60 * 60), 10).await.unwrap();
    platform.rollback().await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(world.call(instructor(1), Method::DELETE, &path(&upload), None).await.status, 204);
    assert_eq!((reserved(&world).await, stored(&world, instructor(1).tenant)), (json!(0), vec![]));
}

#[tokio::test]
async fn what_nobody_downloads_as_it_was_sent_is_not_scanned() {
    let clamd = Clamd::start(LOOKS).await;
    let world = World::scanned_by(Some(clamd.address.clone())).await;
    let upload = sent(&world, "k", "video", &real_file("bikes.mp4")).await;
    assert_eq!(complete(&world, instructor(1), &upload).await.expect(200)["state"], "complete");
    assert_eq!(clamd.seen().len(), 0);
}
