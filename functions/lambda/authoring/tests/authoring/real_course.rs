//! A whole course of an OLX archive: imported, edited as an editor would, published.

use akademi_authoring::{LessonInput, ModuleInput, SectionInput, import_content};
use akademi_domain::{
    course::{Html, LessonBody, Subtitles, VideoSource},
    ids::{AssetId, LessonId},
};
use akademi_feed::LambdaEvent;
use akademi_olx::{Content, Imported, Limits, Reference, import, resolve};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs::File, path::PathBuf, sync::Arc};

use crate::academy::{World, instructor};

fn data(name: &str) -> PathBuf {
    let folder = std::env::var_os("AKADEMI_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"),
        PathBuf::from,
    );
    folder.join(name)
}

/// The course with ids for its lessons and files, and addresses in its html.
fn prepared(course: Imported, world: &World) -> Vec<ModuleInput> {
    let now = world.ports.now();
    let sections = || course.modules.iter().flat_map(|module| &module.sections);
    let lesson_ids: BTreeMap<String, LessonId> = sections()
        .flat_map(|section| &section.lessons)
        .map(|lesson| (lesson.source_key.clone(), LessonId::new(now, world.ports.random())))
        .collect();
    let lesson_ids = Arc::new(lesson_ids);
    let links = Arc::new(course.links);
    let address = |html: Html| {
        let (lesson_ids, links) = (Arc::clone(&lesson_ids), Arc::clone(&links));
        resolve(&html, move |reference| match reference {
            Reference::Asset(path) => Some(format!("/files/{}", path.replace(' ', "%20"))),
            Reference::Block(name) => Some(format!("/learn/{}", lesson_ids.get(links.get(name)?)?)),
        })
    };
    let assets: BTreeMap<_, _> = course
        .assets
        .iter()
        .map(|asset| (asset.path.clone(), (AssetId::new(now, world.ports.random()), asset.content_type)))
        .collect();
    let lesson = |lesson: akademi_olx::Lesson| {
        let (body, answers) = match lesson.content {
            Content::Html(html) => (LessonBody::Html { html: address(html) }, None),
            Content::Quiz { quiz, key } => (LessonBody::Quiz { quiz }, Some(key)),
            Content::Document(path) => {
                let (asset, content_type) = assets[&path];
                let file_name = path.rsplit('/').next().unwrap().to_owned();
                (LessonBody::Document { asset, file_name, content_type: content_type.into() }, None)
            }
            Content::Video(video) => {
                let source = match video.source {
                    akademi_olx::VideoSource::Youtube(id) => VideoSource::Youtube { id },
                    akademi_olx::VideoSource::Asset(path) => VideoSource::Asset { asset: assets[&path].0 },
                };
                let subtitles = video.subtitles.into_iter().map(|subtitles| Subtitles {
                    language: subtitles.language,
                    asset: assets[&subtitles.asset].0,
                });
                let subtitles = subtitles.collect();
                let (start_seconds, end_seconds) = (video.start_seconds, video.end_seconds);
                (
                    LessonBody::Video {
                        source,
                        start_seconds,
                        end_seconds,
                        subtitles,
                        delivery_bound: false,
                    },
                    None,
                )
            }
        };
        let id = lesson_ids.get(&lesson.source_key).copied();
        LessonInput { id, title: lesson.title, requirement: None, duration_seconds: None, body, answers }
    };
    course
        .modules
        .into_iter()
        .map(|module| ModuleInput {
            id: None,
            title: module.title,
            at_least: None,
            opens: None,
            sections: module
                .sections
                .into_iter()
                .map(|section| SectionInput {
                    id: None,
                    title: section.title,
                    lessons: section.lessons.into_iter().map(lesson).collect(),
                })
                .collect(),
        })
        .collect()
}

fn each_lesson(modules: &mut Value) -> impl Iterator<Item = &mut Value> {
    modules
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .flat_map(|module| module["sections"].as_array_mut().unwrap())
        .flat_map(|section| section["lessons"].as_array_mut().unwrap())
}

fn lesson_rows(everything: Vec<String>) -> Vec<String> {
    everything.into_iter().filter(|line| line.starts_with("lesson")).collect()
}

#[tokio::test]
async fn an_imported_course_survives_its_editor_and_is_published_whole() {
    let world = World::new().await;
    let archive = data("openedx-demo-course.tar.gz");
    let archive = File::open(&archive).unwrap_or_else(|error| panic!("{}: {error}", archive.display()));
    let modules = prepared(import(archive, &Limits::default()).unwrap(), &world);
    let count: usize = modules.iter().flat_map(|m| &m.sections).map(|section| section.lessons.len()).sum();
    assert!(count > 290, "{count}");

    let (course, draft) = world.create(instructor(1), "Demo").await;
    let mut tx = world.database.postgres().tenant(instructor(1).tenant).await.unwrap();
    let id = draft["id"].as_str().unwrap().parse().unwrap();
    let imported = import_content(&mut tx, id, modules.clone(), &world.ports).await.unwrap();
    tx.commit().await.unwrap();
    let sent: Vec<_> =
        modules.iter().flat_map(|m| &m.sections).flat_map(|s| &s.lessons).map(|l| l.id).collect();
    let kept = imported.structure.iter().flat_map(|m| &m.sections).flat_map(|s| &s.lessons);
    assert_eq!(kept.map(|lesson| Some(lesson.id)).collect::<Vec<_>>(), sent);

    // Sent back as it was read: no body is written. Requirements are in the structure.
    let mut content = world.get(instructor(1), &course).await.expect(200);
    let bytes = content["modules"].to_string().len();
    assert_eq!(content["revision"], imported.revision);
    let rows = lesson_rows(world.everything().await);
    let document = each_lesson(&mut content["modules"]).find(|lesson| lesson["body"]["kind"] == "document");
    document.unwrap()["requirement"] = json!({ "rule": "opened" });
    let edited = world.put_content(instructor(1), &course, 2, &content["modules"]).await.expect(200);
    assert_eq!(edited["modules"], content["modules"]);
    assert_eq!(lesson_rows(world.everything().await), rows);

    // A text that is edited keeps its images, and is the one body that is written.
    let with_image = |lesson: &&mut Value| {
        lesson["body"]["html"]
            .as_str()
            .is_some_and(|html| html.contains("<img") && html.contains("\"/files/"))
    };
    let lesson = each_lesson(&mut content["modules"]).find(with_image).unwrap();
    let html = format!("<p>Yeni.</p>{}<script>evil()</script>", lesson["body"]["html"].as_str().unwrap());
    lesson["body"]["html"] = json!(html);
    let lesson = lesson["id"].clone();
    let mut edited = world.put_content(instructor(1), &course, 3, &content["modules"]).await.expect(200);
    let lesson = each_lesson(&mut edited["modules"]).find(|other| other["id"] == lesson).unwrap();
    assert_eq!(lesson["body"]["html"], html.trim_end_matches("<script>evil()</script>"));
    let after = lesson_rows(world.everything().await);
    assert_eq!(after.iter().filter(|row| !rows.contains(row)).count(), 1);

    world.publish(instructor(1), &course).await.expect(200);
    let events = world.events().await;
    assert_eq!(events.len(), count + 1);
    let LambdaEvent::CoursePublished { outline, .. } = &events[count].1 else { panic!() };
    let in_order = outline.lessons().zip(&events).all(|(outline, (_, event))| {
        matches!(event, LambdaEvent::LessonPublished { lesson, .. } if *lesson == outline.id)
    });
    assert!(in_order);
    eprintln!("{count} lessons, {bytes} bytes of content, {} events", events.len());
}
