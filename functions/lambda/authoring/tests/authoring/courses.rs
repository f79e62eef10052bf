//! Drafts: made, listed, read, renamed.

use akademi_authoring::{NewCourse, Summary, create_course};
use akademi_domain::{
    ids::UserId,
    permission::{Permission, Permissions},
};
use futures::future::join_all;
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;

use crate::academy::{COURSES, NOW, Person, World, instructor, whole_course};

#[tokio::test]
async fn a_new_course_is_an_empty_draft_under_the_slug_of_its_title() {
    let world = World::new().await;
    let new = json!({ "title": " İklim ve Işık: Açık Ders ", "summary": "Kısa bir ders", "language": "tr" });
    let answer = world.call(instructor(1), Method::POST, COURSES, Some(&new)).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let draft = answer.expect(201);
    let id = draft["id"].as_str().unwrap();
    assert_eq!(location, format!("{COURSES}/{id}"));
    assert_eq!(
        draft,
        json!({
            "id": id, "slug": "iklim-ve-isik-acik-ders", "title": "İklim ve Işık: Açık Ders", "summary": "Kısa bir ders",
            "language": "tr", "minimum_score": null, "revision": 1, "version": 0, "published_at": null,
            "owner": instructor(1).user, "created_at": "2026-09-21T14:13:20Z", "updated_at": "2026-09-21T14:13:20Z",
            "modules": [], "videos": [],
        })
    );
    let read = world.get(instructor(1), &location).await;
    assert_eq!(read.headers["etag"], "\"1-0\"");
    assert_eq!(read.headers["cache-control"], "no-store");
    assert_eq!(read.expect(200), draft);
}

#[tokio::test]
async fn courses_of_one_title_made_at_once_get_slugs_of_their_own() {
    let world = World::new().await;
    let made = join_all((0..12).map(|_| world.create(instructor(1), "Işık"))).await;
    let slugs: BTreeSet<_> = made.iter().map(|(_, draft)| draft["slug"].as_str().unwrap()).collect();
    let mut expected: BTreeSet<_> = (2..=12).map(|n| format!("isik-{n}")).collect();
    expected.insert("isik".to_owned());
    assert_eq!(slugs, expected.iter().map(String::as_str).collect());
    // Slugs are an academy's own.
    assert_eq!(world.create(instructor(2), "Işık").await.1["slug"], "isik");
}

/// The twin of the race above: without the key, two open transactions take the same slug.
#[tokio::test]
async fn without_its_key_two_courses_share_a_slug() {
    let world = World::new().await;
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::raw_sql("ALTER TABLE course_slug DROP CONSTRAINT course_slug_pkey")
        .execute(&mut superuser)
        .await
        .unwrap();
    let mut slugs = Vec::new();
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut tx = world.database.postgres().tenant(instructor(1).tenant).await.unwrap();
        let new = NewCourse { title: "Işık".parse().unwrap(), summary: Summary::default(), language: None };
        slugs.push(create_course(&mut tx, new, instructor(1).user, &world.ports).await.unwrap().slug);
        open.push(tx);
    }
    assert_eq!(slugs[0], slugs[1]);
}

#[tokio::test]
async fn a_list_gives_each_course_once_newest_first() {
    let world = World::new().await;
    let mut expected = Vec::new();
    for n in 0..5 {
        // Two of one moment: the id decides.
        world.pass_seconds(n % 2);
        let (_, draft) = world.create(instructor(1), &format!("Ders {n}")).await;
        expected.push((draft["created_at"].clone(), draft["id"].clone()));
    }
    world.create(instructor(2), "Başka").await;
    expected.sort_by_key(|(at, id)| std::cmp::Reverse((at.to_string(), id.to_string())));

    let mut seen = Vec::new();
    let mut target = format!("{COURSES}?limit=2");
    for pages in 1.. {
        let page = world.get(instructor(1), &target).await.expect(200);
        for course in page["data"].as_array().unwrap() {
            assert!(course.get("modules").is_none());
            seen.push((course["created_at"].clone(), course["id"].clone()));
        }
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(pages, 3);
            break;
        };
        target = format!("{COURSES}?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_change_takes_what_was_sent_and_leaves_the_rest() {
    let world = World::new().await;
    let new = json!({ "title": "Işık", "summary": "Bir", "language": "tr" });
    let draft = world.call(instructor(1), Method::POST, COURSES, Some(&new)).await.expect(201);
    let course = format!("{COURSES}/{}", draft["id"].as_str().unwrap());
    world.pass_seconds(5);
    let change = json!({ "revision": 1, "title": "Gölge" });
    let head = world.call(instructor(1), Method::PATCH, &course, Some(&change)).await.expect(200);
    assert_eq!(
        (&head["title"], &head["slug"], &head["summary"]),
        (&json!("Gölge"), &json!("isik"), &json!("Bir"))
    );
    assert_eq!((&head["revision"], &head["language"]), (&json!(2), &json!("tr")));
    assert_eq!(head["updated_at"], "2026-09-21T14:13:25Z");
    let change = json!({ "revision": 2, "slug": "golge", "summary": "", "language": null });
    let head = world.call(instructor(1), Method::PATCH, &course, Some(&change)).await.expect(200);
    assert_eq!(
        (&head["slug"], &head["summary"], &head["language"]),
        (&json!("golge"), &json!(""), &json!(null))
    );
    let mut read = world.get(instructor(1), &course).await.expect(200);
    for content in ["modules", "videos"] {
        assert_eq!(read.as_object_mut().unwrap().remove(content), Some(json!([])));
    }
    assert_eq!(read, head);
}

#[tokio::test]
async fn of_two_changes_of_one_revision_one_is_refused() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let changes = ["Bir", "İki"].map(|title| json!({ "revision": 1, "title": title }));
    let answers = join_all(
        changes.iter().map(|change| world.call(instructor(1), Method::PATCH, &course, Some(change))),
    )
    .await;
    let statuses: BTreeSet<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, BTreeSet::from([200, 409]));
    let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
    assert_eq!(refused.problem().0, "conflict");
    assert_eq!(world.get(instructor(1), &course).await.expect(200)["revision"], 2);
}

#[tokio::test]
async fn a_slug_that_a_course_once_had_goes_to_no_other() {
    let world = World::new().await;
    let (first, _) = world.create(instructor(1), "Işık").await;
    let (second, _) = world.create(instructor(1), "Gölge").await;
    let rename = |revision: i64, slug: &str| json!({ "revision": revision, "slug": slug });
    world.call(instructor(1), Method::PATCH, &first, Some(&rename(1, "renk"))).await.expect(200);
    for taken in ["renk", "isik"] {
        let answer = world.call(instructor(1), Method::PATCH, &second, Some(&rename(1, taken))).await;
        assert_eq!((answer.status.as_u16(), answer.problem().0), (409, "slug-taken"));
    }
    assert_eq!(world.create(instructor(1), "Işık").await.1["slug"], "isik-2");
    // Its own again.
    let head = world.call(instructor(1), Method::PATCH, &first, Some(&rename(2, "isik"))).await.expect(200);
    assert_eq!(head["slug"], "isik");
}

#[tokio::test]
async fn an_instructor_sees_and_changes_only_own_courses() {
    let world = World::new().await;
    let owner = instructor(1);
    let colleague = Person { user: UserId::new(NOW, [77; 10]), ..owner };
    let everybodys = Permissions::NONE.with(Permission::CoursesWrite).with(Permission::CoursesAll);
    let editor = Person { permissions: everybodys, ..colleague };
    let (course, draft) = world.create(owner, "Işık").await;
    world.put_content(owner, &course, 1, &whole_course()).await.expect(200);
    let listed =
        async |who: Person| world.get(who, COURSES).await.expect(200)["data"].as_array().unwrap().len();
    assert_eq!((listed(owner).await, listed(colleague).await, listed(editor).await), (1, 0, 1));

    let before = world.everything().await;
    let change = json!({ "revision": 2, "title": "Benim" });
    let publish = format!("{course}/publish");
    for (method, target, body) in [
        (Method::GET, course.as_str(), None),
        (Method::PATCH, &course, Some(&change)),
        (Method::PUT, &format!("{course}/content"), Some(&json!({ "revision": 2, "modules": [] }))),
        (Method::POST, &publish, None),
    ] {
        let refused = world.call(colleague, method.clone(), target, body).await;
        assert_eq!((refused.status.as_u16(), refused.problem().0), (404, "not-found"), "{method} {target}");
    }
    assert_eq!(world.everything().await, before);

    assert_eq!(world.get(editor, &course).await.expect(200)["id"], draft["id"]);
    world.call(editor, Method::PATCH, &course, Some(&change)).await.expect(200);
    world.publish(editor, &course).await.expect(200);
}
