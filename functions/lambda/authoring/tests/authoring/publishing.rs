//! Publishing, and the events that it appends.

use akademi_api::Caller;
use akademi_authoring::publish_course;
use akademi_domain::{
    course::LessonKind,
    ids::{CourseId, SessionId},
};
use akademi_feed::LambdaEvent;
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::academy::{Person, World, html_lesson, instructor, modules, whole_course};

fn course_id(draft: &Value) -> CourseId {
    draft["id"].as_str().unwrap().parse().unwrap()
}

/// Lines of the tables that a publication writes.
fn published(everything: Vec<String>) -> Vec<String> {
    everything.into_iter().filter(|line| line.starts_with("publi") || line.starts_with("event")).collect()
}

#[tokio::test]
async fn a_publication_is_every_lesson_in_order_and_the_course_last() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let about = json!({ "revision": 1, "summary": "Bir ders", "language": "tr" });
    world.call(instructor(1), Method::PATCH, &course, Some(&about)).await.expect(200);
    let draft = world.put_content(instructor(1), &course, 2, &whole_course()).await.expect(200);
    world.pass_seconds(7);
    assert_eq!(world.publish(instructor(1), &course).await.expect(200), json!({ "version": 1 }));

    let events = world.events().await;
    assert!(events.iter().all(|(tenant, _)| *tenant == instructor(1).tenant));
    assert_eq!(events.len(), 5);
    let sections =
        draft["modules"].as_array().unwrap().iter().flat_map(|m| m["sections"].as_array().unwrap());
    let sent: Vec<_> = sections.flat_map(|section| section["lessons"].as_array().unwrap()).collect();
    let words = ["Işık hızlıdır", "", "El kitabı.pdf", "Bir soru Kaç renk? Hız? Adı?"];
    for ((sent, words), (_, event)) in sent.iter().zip(words).zip(&events) {
        let LambdaEvent::LessonPublished {
            course,
            version,
            lesson,
            title,
            duration_seconds,
            requirement,
            opens,
            body,
            answers,
            words: found,
        } = event
        else {
            panic!("{event:?}");
        };
        assert_eq!((*course, *version, opens), (course_id(&draft), 1, &None));
        let json = json!({
            "id": lesson, "title": title, "duration_seconds": duration_seconds, "requirement": requirement,
            "body": body, "answers": answers,
        });
        assert_eq!(&json, *sent);
        assert_eq!(found, words);
    }
    let LambdaEvent::CoursePublished { version, summary, outline, owner, at } = &events[4].1 else {
        panic!()
    };
    assert_eq!((*version, summary.as_str()), (1, "Bir ders"));
    assert_eq!((at.to_string().as_str(), *owner), ("2026-09-21T14:13:27Z", Some(instructor(1).user)));
    assert_eq!((outline.id, outline.slug.as_str()), (course_id(&draft), "isik"));
    assert_eq!((outline.modules.len(), outline.modules[0].sections.len()), (2, 2));
    let kinds: Vec<_> = outline.lessons().map(|lesson| lesson.kind).collect();
    assert_eq!(kinds, [LessonKind::Html, LessonKind::Video, LessonKind::Document, LessonKind::Quiz]);

    let read = world.get(instructor(1), &course).await;
    assert_eq!(read.headers["etag"], "\"3-1\"");
    let read = read.expect(200);
    assert_eq!((&read["version"], &read["published_at"]), (&json!(1), &json!("2026-09-21T14:13:27Z")));
}

#[tokio::test]
async fn publishing_again_makes_a_version_beside_the_ones_before() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    world.put_content(instructor(1), &course, 1, &whole_course()).await.expect(200);
    world.publish(instructor(1), &course).await.expect(200);
    assert_eq!(world.publish(instructor(1), &course).await.expect(200)["version"], 2, "unchanged");
    world.put_content(instructor(1), &course, 2, &modules(&[html_lesson("Oku", "kısa")])).await.expect(200);
    assert_eq!(world.publish(instructor(1), &course).await.expect(200)["version"], 3);
    let kept = published(world.everything().await);
    assert_eq!(kept.iter().filter(|line| line.starts_with("publication")).count(), 3);
    let lessons = kept.iter().filter(|line| line.starts_with("published")).count();
    assert_eq!(lessons, 4 + 1, "what stays as it is stands once");
    assert_eq!(world.events().await.len(), 5 + 5 + 2);
}

#[tokio::test]
async fn publications_at_once_follow_one_another() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    world.put_content(instructor(1), &course, 1, &whole_course()).await.expect(200);
    let answers = join_all((0..4).map(|_| world.publish(instructor(1), &course))).await;
    let versions: BTreeSet<_> =
        answers.into_iter().map(|answer| answer.expect(200)["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, BTreeSet::from([1, 2, 3, 4]));
    let seen = world.events().await.into_iter().map(|(_, event)| match event {
        LambdaEvent::LessonPublished { version, .. } | LambdaEvent::CoursePublished { version, .. } => {
            version
        }
        other => panic!("{other:?}"),
    });
    let expected: Vec<_> = (1..=4).flat_map(|version| [version; 5]).collect();
    assert_eq!(seen.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_course_without_a_lesson_is_not_published() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let answer = world.publish(instructor(1), &course).await;
    assert_eq!((answer.status.as_u16(), answer.problem().0), (422, "nothing-to-publish"));
    world.put_content(instructor(1), &course, 1, &modules(&[])).await.expect(200);
    assert_eq!(world.publish(instructor(1), &course).await.status, 422);
    assert_eq!(world.events().await, []);
    assert_eq!(world.get(instructor(1), &course).await.expect(200)["version"], 0);
}

#[tokio::test]
async fn a_video_of_unknown_length_is_published_only_if_nobody_must_watch_a_share_of_it() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let video = |requirement: Value| {
        modules(&[
            json!({ "title": "Film", "requirement": requirement, "body": { "kind": "video", "subtitles": [],
            "source": { "from": "youtube", "id": "aqz-KE-bpKQ" } } }),
        ])
    };
    let required = video(json!({ "rule": "coverage", "percent": 90 }));
    world.put_content(instructor(1), &course, 1, &required).await.expect(200);
    let answer = world.publish(instructor(1), &course).await;
    assert_eq!((answer.status.as_u16(), answer.problem().0), (422, "length-unknown"));
    assert_eq!(world.events().await, []);
    world.put_content(instructor(1), &course, 2, &video(json!({ "rule": "opened" }))).await.expect(200);
    world.publish(instructor(1), &course).await.expect(200);
}

#[tokio::test]
async fn a_crash_before_the_commit_leaves_no_event_and_no_version() {
    let world = World::new().await;
    let (course, draft) = world.create(instructor(1), "Işık").await;
    world.put_content(instructor(1), &course, 1, &whole_course()).await.expect(200);
    let before = world.everything().await;
    let Person { tenant, user, permissions } = instructor(1);
    let session = SessionId::new(world.ports.now(), [1; 10]);
    let publisher = Caller { tenant, user, session, permissions };
    let publish = async |commit: bool| {
        let mut tx = world.database.postgres().tenant(instructor(1).tenant).await.unwrap();
        let version =
            publish_course(&mut tx, course_id(&draft), &publisher, world.ports.now()).await.unwrap();
        if commit {
            tx.commit().await.unwrap();
        }
        version
    };
    assert_eq!(publish(false).await, 1);
    assert_eq!(world.everything().await, before);
    assert_eq!(world.events().await, []);
    assert_eq!(publish(true).await, 1);
    assert_eq!(world.events().await.len(), 5);
}

#[tokio::test]
async fn a_last_event_that_fails_takes_the_whole_publication_back() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    world.put_content(instructor(1), &course, 1, &whole_course()).await.expect(200);
    let before = world.everything().await;
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::raw_sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON feed_event FOR EACH ROW WHEN (NEW.kind = 'course_published')
         EXECUTE FUNCTION refuse()",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    let answer = world.publish(instructor(1), &course).await;
    assert_eq!((answer.status.as_u16(), answer.problem().0), (500, "internal"));
    assert_eq!(world.everything().await, before);
    sqlx::raw_sql("DROP TRIGGER refuse ON feed_event").execute(&mut superuser).await.unwrap();
    assert_eq!(world.publish(instructor(1), &course).await.expect(200)["version"], 1);
}
