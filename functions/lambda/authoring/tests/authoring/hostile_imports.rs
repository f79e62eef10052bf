//! Archives that are broken or want to harm end as one clear message, and nothing is left of them.

use serde_json::json;
use tar::EntryType;

use crate::{
    academy::{World, instructor},
    import_world::{archive, course_with, job, real_file, small_course, started, stored},
};

#[tokio::test]
async fn a_broken_archive_is_refused_with_its_reason_and_leaves_nothing() {
    let world = World::new().await;
    // Something to be left alone.
    started(&world, instructor(1), "good", &small_course()).await;
    assert!(world.authoring.run_next_import().await.unwrap());
    let (rows, files) = (world.everything().await, stored(&world, instructor(1).tenant));
    assert!(files.len() == 1 && rows.len() > 3);

    let whole = small_course();
    let real = real_file("openedx-demo-course.tar.gz");
    let regular = |path: &str, content: &[u8]| course_with(EntryType::Regular, path, content);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (whole[..whole.len() / 2].to_vec(), "the archive is cut off"),
        (real[..real.len() / 2].to_vec(), "the archive is cut off"),
        (b"PK\x03\x04 a zip".to_vec(), "this is not a .tar.gz archive"),
        (regular("../evil", b"x"), "points outside the archive"),
        (regular("/etc/passwd", b"x"), "points outside the archive"),
        (course_with(EntryType::Symlink, "static/link", b""), "is a symbolic link"),
        (regular("static/zeros", &vec![0; 16 << 20]), "unpacks to more than 100 times its size"),
        (regular("static/gunes a.png", b"again"), "stands in the archive twice"),
        (archive(&[(EntryType::Regular, "a.txt", b"x")]), "holds no course.xml"),
        (
            archive(&[(EntryType::Regular, "course.xml", br#"<course url_name="run" org="o" course="c"/>"#)]),
            "needs \"course/run.xml\"",
        ),
        (archive(&[(EntryType::Regular, "course.xml", b"<course")]), "is not well-formed XML"),
        (
            archive(&[(
                EntryType::Regular,
                "course.xml",
                b"<!DOCTYPE c [<!ENTITY a \"b\">]><course>&a;</course>",
            )]),
            "declares a document type",
        ),
    ];
    for (n, (content, reason)) in cases.iter().enumerate() {
        let id = started(&world, instructor(1), &format!("k{n}"), content).await;
        assert!(stored(&world, instructor(1).tenant).len() == files.len() + 1, "the archive is there");
        assert!(world.authoring.run_next_import().await.unwrap());
        let failed = job(&world, instructor(1), &id).await;
        assert_eq!((&failed["state"], &failed["result"]), (&json!("failed"), &json!(null)), "{reason}");
        let message = failed["message"].as_str().unwrap();
        assert!(message.contains(reason), "{message:?} does not say {reason:?}");
        assert_eq!(stored(&world, instructor(1).tenant), files, "{reason}");
        assert_eq!(world.everything().await, rows, "{reason}");
        // It is over: no second attempt.
        world.pass_seconds(3600);
        assert!(!world.authoring.run_next_import().await.unwrap());
    }
    println!("{} archives refused", cases.len());
}

#[tokio::test]
async fn a_course_that_no_draft_holds_leaves_nothing_though_its_files_were_stored() {
    let world = World::new().await;
    // The file is stored before the transaction finds that the structure is too long.
    let chapters: String =
        (0..2_000).map(|_| format!("<chapter display_name=\"{}\"/>", "ş".repeat(190))).collect();
    let course = format!("<course display_name=\"Uzun\">{chapters}</course>");
    let content = archive(&[
        (EntryType::Regular, "course.xml", br#"<course url_name="run" org="o" course="c"/>"#),
        (EntryType::Regular, "course/run.xml", course.as_bytes()),
        (EntryType::Regular, "static/a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    ]);
    let before = world.everything().await;
    let id = started(&world, instructor(1), "k", &content).await;
    assert!(world.authoring.run_next_import().await.unwrap());
    let failed = job(&world, instructor(1), &id).await;
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["message"], "the course cannot be kept: modules is longer than 350000 bytes");
    assert_eq!(failed["progress_permille"], 950, "its files were stored");
    assert_eq!(world.everything().await, before);
    assert_eq!(stored(&world, instructor(1).tenant), Vec::<String>::new());
}
