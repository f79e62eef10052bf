//! The Open edX demo course, compared with counts made from its files by other means.

use akademi_domain::course::LessonKind;
use akademi_olx::{BlockOutcome, Content, FileOutcome, Imported, Lesson, VideoSource};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use crate::archives::{import, lessons};

/// The folder of the real input: `AKADEMI_DATA`, or `shared/data` beside the workspace.
fn data() -> PathBuf {
    std::env::var_os("AKADEMI_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from)
}

static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = data().join("openedx-demo-course.tar.gz");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; set AKADEMI_DATA", path.display()))
});

pub static COURSE: LazyLock<Imported> = LazyLock::new(|| import(&BYTES).unwrap());

/// Every file of the archive, read without this crate.
static FILES: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&BYTES[..]));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let path = entry.path().unwrap().to_str().unwrap().strip_prefix("course/").unwrap().to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(path, bytes);
        }
    }
    files
});

fn text(path: &str) -> &'static str {
    std::str::from_utf8(&FILES[path]).unwrap()
}

fn folder(name: &str) -> Vec<&'static str> {
    let prefix = format!("{name}/");
    FILES.keys().filter(|path| path.starts_with(&prefix)).map(String::as_str).collect()
}

/// The names of the children of the root element of an XML file.
fn children(path: &str) -> Vec<(String, Option<String>)> {
    let document = roxmltree::Document::parse(text(path)).unwrap();
    let elements = document.root_element().children().filter(|node| node.is_element());
    elements
        .map(|node| (node.tag_name().name().to_owned(), node.attribute("url_name").map(str::to_owned)))
        .collect()
}

pub fn lesson(source_key: &str) -> &'static Lesson {
    lessons(&COURSE).into_iter().find(|lesson| lesson.source_key == source_key).unwrap()
}

#[test]
fn chapters_and_sequentials_are_modules_and_sections_in_order() {
    let expected: Vec<(String, Vec<String>)> = children("course/DemoCourse.xml")
        .into_iter()
        .filter(|(kind, _)| kind == "chapter")
        .map(|(_, name)| format!("chapter/{}", name.unwrap()))
        .map(|chapter| {
            let sections = children(&format!("{chapter}.xml"));
            (chapter, sections.into_iter().map(|(_, name)| format!("sequential/{}", name.unwrap())).collect())
        })
        .collect();
    let found: Vec<(String, Vec<String>)> = COURSE
        .modules
        .iter()
        .map(|module| {
            (
                module.source_key.clone(),
                module.sections.iter().map(|section| section.source_key.clone()).collect(),
            )
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 6);
    assert_eq!(found.iter().map(|(_, sections)| sections.len()).sum::<usize>(), 17);
    assert_eq!(COURSE.title.as_str(), "Open edX Demo Course");
    assert_eq!(COURSE.language.as_ref().unwrap().as_str(), "en");
    assert_eq!(COURSE.modules[2].title.as_str(), "Module 3: Ace the Assessments!");
    assert!(COURSE.description.as_str().contains("About This Course"));
    assert!(COURSE.summary.as_ref().unwrap().starts_with("Explore Open edX"));
}

#[test]
fn lessons_stand_in_the_order_of_the_blocks() {
    for section in COURSE.modules.iter().flat_map(|module| &module.sections) {
        let mut blocks = Vec::new();
        for (_, vertical) in children(&format!("{}.xml", section.source_key)) {
            for (kind, name) in children(&format!("vertical/{}.xml", vertical.unwrap())) {
                let key = format!("{kind}/{}", name.unwrap());
                if kind == "library_content" {
                    let problems = children(&format!("{key}.xml"));
                    blocks.extend(problems.into_iter().map(|(_, name)| format!("problem/{}", name.unwrap())));
                } else {
                    blocks.push(key);
                }
            }
        }
        let lessons: Vec<&String> = section
            .lessons
            .iter()
            .map(|lesson| &lesson.source_key)
            .filter(|key| !key.starts_with("static/"))
            .collect();
        blocks.retain(|key| lessons.contains(&key));
        assert_eq!(lessons, blocks.iter().collect::<Vec<_>>(), "{}", section.title);
        assert!(!lessons.is_empty());
    }
}

#[test]
fn the_report_has_every_block_of_the_archive_exactly_once() {
    let mut expected: BTreeMap<String, u32> = BTreeMap::from([("course".to_owned(), 1)]);
    let mut count = |kind: &str, by: usize| *expected.entry(kind.to_owned()).or_default() += by as u32;
    for kind in ["chapter", "sequential", "vertical"] {
        count(kind, folder(kind).len());
    }
    count("wiki", children("course/DemoCourse.xml").iter().filter(|(kind, _)| kind == "wiki").count());
    for file in folder("vertical").into_iter().chain(folder("library_content")) {
        for (kind, _) in children(file) {
            count(&kind, 1);
        }
    }
    let counts = COURSE.report.counts();
    let found: BTreeMap<String, u32> =
        counts.iter().map(|(kind, counts)| ((*kind).to_owned(), counts.total())).collect();
    assert_eq!(found, expected);
    let keys: BTreeSet<&String> = COURSE.report.blocks.iter().map(|block| &block.source_key).collect();
    assert_eq!(keys.len(), COURSE.report.blocks.len());
    for kind in ["html", "video", "problem", "lti", "annotatable", "library_content"] {
        let files: BTreeSet<&str> =
            folder(kind).into_iter().filter_map(|path| path.strip_suffix(".xml")).collect();
        assert!(files.iter().all(|file| keys.contains(&(*file).to_owned())), "{kind}");
    }
    for (kind, counts) in &counts {
        println!(
            "{kind}: {} imported, {} kept raw, {} skipped",
            counts.imported, counts.kept_raw, counts.skipped
        );
    }
    println!("{} blocks in all", COURSE.report.blocks.len());
}

#[test]
fn blocks_become_what_the_course_needs() {
    let counts = COURSE.report.counts();
    let of = |kind: &str| (counts[kind].imported, counts[kind].kept_raw, counts[kind].skipped);
    assert_eq!(of("chapter"), (6, 0, 0));
    assert_eq!(of("sequential"), (17, 0, 0));
    assert_eq!(of("vertical"), (58, 0, 0));
    assert_eq!(of("html"), (266, 0, 0));
    assert_eq!(of("video"), (11, 0, 0));
    assert_eq!(of("problem"), (21, 8, 0));
    assert_eq!(of("wiki"), (0, 0, 1));
    for kind in
        ["poll", "survey", "lti", "discussion", "openassessment", "library_content", "drag-and-drop-v2"]
    {
        assert_eq!(of(kind), (0, counts[kind].total(), 0), "{kind}");
    }
    let of_kind =
        |kind: LessonKind| lessons(&COURSE).iter().filter(|lesson| lesson.content.kind() == kind).count();
    assert_eq!(of_kind(LessonKind::Html), 266);
    assert_eq!(of_kind(LessonKind::Video), 11);
    assert_eq!(of_kind(LessonKind::Quiz), 21);
    assert_eq!(of_kind(LessonKind::Document), 2);
    let kept =
        COURSE.report.blocks.iter().filter(|block| matches!(block.outcome, BlockOutcome::KeptRaw { .. }));
    let kept: Vec<&String> = kept.map(|block| &block.source_key).collect();
    assert_eq!(COURSE.raw.iter().map(|raw| &raw.source_key).collect::<Vec<_>>(), kept);
    assert!(COURSE.raw.iter().all(|raw| raw.olx.starts_with(&format!("<{}", raw.kind))));
}

#[test]
fn the_report_has_every_file_of_the_archive_exactly_once() {
    let paths: Vec<&String> = COURSE.report.files.iter().map(|file| &file.path).collect();
    assert_eq!(paths, FILES.keys().collect::<Vec<_>>());
    let sources = COURSE.report.files.iter().filter(|file| file.outcome == FileOutcome::Source).count();
    // course.xml and the course, six folders of pointed-to blocks, html twice, about twice.
    let expected = 2 + 6 + 17 + 58 + 2 * 266 + 11 + 29 + 1 + 2 + 1 + 2;
    assert_eq!(sources, expected);
    let mut secrets = COURSE.report.files.iter().filter(|file| file.path.starts_with("policies/"));
    assert!(secrets.all(|file| matches!(file.outcome, FileOutcome::Skipped { .. })));
    println!("{} files", paths.len());
}

#[test]
fn static_files_become_assets_with_the_type_of_their_content() {
    let served: BTreeMap<&str, &str> =
        COURSE.assets.iter().map(|asset| (asset.path.as_str(), asset.content_type)).collect();
    assert_eq!(served.len(), COURSE.assets.len());
    for (path, content_type) in [
        ("Jellyfish_720_10s_2MB.mp4", "video/mp4"),
        ("Learning Goals.pdf", "application/pdf"),
        ("Brain green.png", "image/png"),
        ("try-it-bg.jpg", "image/jpeg"),
        ("teams_application_screen.webp", "image/webp"),
        ("community-icon.svg", "image/svg+xml"),
        ("48c991fb-083c-45e1-adad-930d2b11b11e-es.vtt", "text/vtt"),
    ] {
        assert_eq!(served.get(path), Some(&content_type), "{path}");
    }
    let active = ["html", "js", "css"];
    let mut left = 0;
    for path in folder("static") {
        let name = path.strip_prefix("static/").unwrap();
        let extension = name.rsplit('.').next().unwrap();
        assert_eq!(served.contains_key(name), !active.contains(&extension) && extension != "srt", "{name}");
        left += usize::from(active.contains(&extension));
    }
    assert_eq!(COURSE.assets.len(), folder("static").len() - left, "each subtitle file is one asset");
    for asset in &COURSE.assets {
        if asset.content_type != "text/vtt" {
            assert_eq!(asset.bytes, FILES[&format!("static/{}", asset.path)], "{}", asset.path);
        }
    }
}

#[test]
fn videos_come_from_youtube_and_one_from_the_archive() {
    let videos: Vec<_> = lessons(&COURSE)
        .into_iter()
        .filter_map(|lesson| match &lesson.content {
            Content::Video(video) => Some(video),
            _ => None,
        })
        .collect();
    let files: Vec<_> = videos.iter().filter(|video| matches!(video.source, VideoSource::Asset(_))).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].source, VideoSource::Asset("Jellyfish_720_10s_2MB.mp4".to_owned()));
    let Content::Video(reach) = &lesson("video/078de40d92a54047b951a2e7a8e2a348").content else { panic!() };
    assert_eq!(reach.source, VideoSource::Youtube("AOUEsgFrYeg".parse().unwrap()));
    assert_eq!((reach.start_seconds, reach.end_seconds), (Some(699), Some(777)));
    assert_eq!(
        reach.subtitles.iter().map(|subtitles| subtitles.language.as_str()).collect::<Vec<_>>(),
        ["en", "es"]
    );
    let linked = videos.iter().flat_map(|video| &video.subtitles).count();
    assert_eq!(linked, 6);
}

#[test]
fn every_subtitle_file_keeps_all_its_cues() {
    for path in folder("static").into_iter().filter(|path| path.ends_with(".srt")) {
        let name = path.strip_prefix("static/").unwrap().replace(".srt", ".vtt");
        let asset = COURSE.assets.iter().find(|asset| asset.path == name).unwrap();
        let vtt = std::str::from_utf8(&asset.bytes).unwrap();
        assert!(vtt.starts_with("WEBVTT\n\n"));
        let cues = |text: &str| text.lines().filter(|line| line.contains(" --> ")).count();
        // A cue without text says nothing in either format.
        let blank = text(path)
            .replace("\r\n", "\n")
            .split("\n\n")
            .filter(|cue| cue.contains("-->") && cue.trim().lines().count() < 3)
            .count();
        assert_eq!(cues(vtt), cues(text(path)) - blank, "{path}");
    }
}

#[test]
fn documents_follow_the_lessons_that_refer_to_them() {
    let keys: Vec<&str> = lessons(&COURSE).into_iter().map(|lesson| lesson.source_key.as_str()).collect();
    let before = |key: &str| keys[keys.iter().position(|other| *other == key).unwrap() - 1];
    assert!(text(&format!("{}.html", before("static/Learning Goals.pdf"))).contains("Learning_Goals.pdf"));
    assert_eq!(
        before("static/Reach of Open edX Downloadable Transcript.pdf"),
        "video/078de40d92a54047b951a2e7a8e2a348"
    );
}

#[test]
fn html_lessons_keep_their_text_and_images_and_nothing_active() {
    let assets: BTreeSet<&str> = COURSE.assets.iter().map(|asset| asset.path.as_str()).collect();
    let mut images = 0;
    let mut links = 0;
    let mut empty = 0;
    for lesson in lessons(&COURSE) {
        let Content::Html(html) = &lesson.content else { continue };
        empty += usize::from(lesson.is_empty());
        // Text may quote HTML, as this course does: only tags count.
        let tags: Vec<&str> =
            html.as_str().split('<').skip(1).filter_map(|tag| Some(tag.split_once('>')?.0)).collect();
        for tag in &tags {
            for active in ["script", "style", "iframe", "link", "object"] {
                assert!(!tag.starts_with(active), "<{tag}> in {}", lesson.source_key);
            }
            for active in [" onclick=", " onload=", " style=", " class=", "javascript:", "/static/"] {
                assert!(!tag.contains(active), "<{tag}> in {}", lesson.source_key);
            }
            if let Some((_, url)) = tag.split_once(" src=\"") {
                let url = url.split('"').next().unwrap();
                let name = url.strip_prefix("asset:").unwrap_or_else(|| panic!("{url}"));
                assert!(assets.contains(name.replace("%20", " ").as_str()), "{url}");
                images += 1;
            }
            if let Some((_, name)) = tag.split_once(" href=\"block:") {
                let name = name.split('"').next().unwrap();
                assert!(COURSE.links.contains_key(name), "{name} in {}", lesson.source_key);
                links += 1;
            }
        }
    }
    let written: usize = folder("html")
        .iter()
        .filter(|path| path.ends_with(".html"))
        .map(|path| text(path).matches("<img").count())
        .sum();
    assert_eq!(images, written, "images");
    assert!(links > 40, "{links}");
    println!("{images} images, {links} links between lessons, {empty} html lessons without anything to see");
    assert_eq!(
        empty,
        COURSE
            .report
            .blocks
            .iter()
            .filter(|block| block.notes.iter().any(|note| note == "nothing of it can be seen"))
            .count()
    );
}

#[test]
fn a_second_import_is_the_same() {
    assert!(import(&BYTES).unwrap() == *COURSE);
}

#[test]
fn the_real_archive_cut_short_is_refused() {
    for part in 1..20 {
        let cut = BYTES.len() * part / 20;
        assert_eq!(
            import(&BYTES[..cut]).err().map(|error| error.slug()),
            Some("truncated-archive"),
            "{cut} bytes"
        );
    }
}

#[test]
fn no_secret_of_the_policies_is_imported() {
    let text = format!("{:?}", (&COURSE.report, &COURSE.raw, &COURSE.modules));
    assert!(!text.contains("codeboard_secret"));
}
