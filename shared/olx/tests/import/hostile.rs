//! Archives that are refused: one error each, of the right kind, which names the file.

use akademi_olx::{ImportError, Limits};
use tar::EntryType;

use crate::archives::{add, course, course_with, gzip, header, import, packed, tar};

const POINTER: &str = r#"<html url_name="h1"/>"#;

fn refusal(bytes: &[u8]) -> ImportError {
    import(bytes).expect_err("must be refused")
}

/// The refusal of a course in which one more entry stands.
fn refusal_with(kind: EntryType, path: &[u8], bytes: &[u8]) -> ImportError {
    let mut builder = tar(&course(""));
    builder.append(&header(kind, path, bytes.len() as u64), bytes).unwrap();
    refusal(&gzip(&builder.into_inner().unwrap()))
}

fn refusal_under(limits: Limits, files: &[(String, Vec<u8>)]) -> ImportError {
    akademi_olx::import(&packed(files)[..], &limits).expect_err("must be refused")
}

#[test]
fn the_archive_that_the_others_are_made_from_is_accepted() {
    assert_eq!(import(&packed(&course(""))).unwrap().title.as_str(), "Kurs");
}

#[test]
fn what_is_no_gzipped_tar_is_refused() {
    let noise: Vec<u8> =
        (0..40_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for bytes in
        [&b""[..], b"a", b"hello, course", b"PK\x03\x04", &noise, &gzip(b""), &gzip(b"hello"), &gzip(&noise)]
    {
        assert_eq!(refusal(bytes), ImportError::NotAnArchive, "{} bytes", bytes.len());
    }
    assert_eq!(refusal(&tar(&course("")).into_inner().unwrap()), ImportError::NotAnArchive, "not compressed");
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    let whole =
        packed(&course_with(POINTER, &[("html/h1.xml", b"<html>x</html>"), ("static/a.txt", b"Merhaba")]));
    for length in 2..whole.len() {
        let error = refusal(&whole[..length]);
        assert_eq!(error, ImportError::Truncated, "cut to {length} of {}", whole.len());
    }
}

#[test]
fn a_tar_that_ends_early_is_refused_though_its_gzip_is_whole() {
    let whole = tar(&course_with("", &[("static/a.txt", &[b'a'; 2_000])])).into_inner().unwrap();
    // Within the last file, after it, and with one of the two closing blocks.
    for missing in [1024 + 1500, 1024 + 512, 1024, 512] {
        assert_eq!(
            refusal(&gzip(&whole[..whole.len() - missing])),
            ImportError::Truncated,
            "{missing} missing"
        );
    }
}

#[test]
fn a_changed_byte_never_gives_another_course() {
    let whole = packed(&course_with(POINTER, &[("html/h1.xml", b"<html>Merhaba</html>")]));
    let imported = import(&whole).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x41;
        if let Ok(course) = import(&changed) {
            assert_eq!(course, imported, "byte {at}");
        }
    }
}

#[test]
fn paths_that_lead_out_of_the_archive_are_refused() {
    for path in ["../evil", "static/../../evil", "/etc/passwd", "static\\..\\evil", "static/a\nb", "..", "."]
    {
        let error = refusal_with(EntryType::Regular, path.as_bytes(), b"x");
        assert!(matches!(error, ImportError::UnsafePath { .. }), "{path:?}: {error}");
    }
    let error = refusal_with(EntryType::Regular, b"static/\xff\xfe", b"x");
    assert!(matches!(error, ImportError::UnsafePath { .. }), "{error}");
    let error = refusal_with(EntryType::Directory, b"../evil/", b"");
    assert!(error.to_string().contains("../evil/"), "{error}");
}

#[test]
fn a_path_out_of_the_archive_in_a_long_name_header_is_refused() {
    let mut builder = tar(&course(""));
    let name = format!("{}../../../../evil\0", "a/".repeat(100));
    builder
        .append(&header(EntryType::GNULongName, b"././@LongLink", name.len() as u64), name.as_bytes())
        .unwrap();
    let mut gnu = tar::Header::new_gnu();
    gnu.set_path("static/a").unwrap();
    gnu.set_size(1);
    gnu.set_cksum();
    builder.append(&gnu, &b"x"[..]).unwrap();
    let error = refusal(&gzip(&builder.into_inner().unwrap()));
    assert!(matches!(error, ImportError::UnsafePath { .. }), "{error}");
}

#[test]
fn links_and_devices_are_refused() {
    for (kind, named) in [
        (EntryType::Symlink, "symbolic link"),
        (EntryType::Link, "hard link"),
        (EntryType::Char, "device"),
        (EntryType::Block, "device"),
        (EntryType::Fifo, "pipe"),
    ] {
        let error = refusal_with(kind, b"static/x", b"");
        assert_eq!(error, ImportError::NotAFile { path: "static/x".to_owned(), kind: named });
    }
}

#[test]
fn a_bomb_by_total_size_is_refused() {
    let limits = Limits { unpacked_bytes: 1 << 20, ..Limits::default() };
    let files: Vec<(String, Vec<u8>)> =
        (0..3).map(|index| (format!("static/{index}"), vec![7; 500_000])).collect();
    assert_eq!(refusal_under(limits, &files), ImportError::TooLarge { limit: 1 << 20 });
}

#[test]
fn a_bomb_by_one_files_size_is_refused_before_it_is_read() {
    let limits = Limits { file_bytes: 1000, ..Limits::default() };
    let error = refusal_under(limits, &course_with("", &[("static/big", &[0; 1001])]));
    assert_eq!(error, ImportError::FileTooLarge { path: "static/big".to_owned(), limit: 1000 });
    // A header that promises an exabyte.
    let mut builder = tar(&course(""));
    let mut lying = header(EntryType::Regular, b"static/big", 0);
    lying.set_size(1 << 60);
    lying.set_cksum();
    builder.append(&lying, &b"x"[..]).unwrap();
    let error = refusal(&gzip(&builder.into_inner().unwrap()));
    assert!(matches!(error, ImportError::FileTooLarge { .. }), "{error}");
}

#[test]
fn a_bomb_by_number_of_entries_is_refused() {
    let limits = Limits { entries: 10, ..Limits::default() };
    let mut files = course("");
    files.extend((0..6).map(|index| (format!("static/{index}"), Vec::new())));
    assert_eq!(refusal_under(limits, &files), ImportError::TooManyEntries { limit: 10 });
}

#[test]
fn a_bomb_by_compression_is_refused() {
    let error = refusal(&packed(&course_with("", &[("static/zeros", &vec![0; 16 << 20])])));
    assert_eq!(error, ImportError::CompressionBomb { limit: Limits::default().ratio });
    // The same in a header that the tar reader keeps for itself.
    let mut builder = tar(&course(""));
    let name = vec![b'a'; 16 << 20];
    builder.append(&header(EntryType::GNULongName, b"././@LongLink", name.len() as u64), &name[..]).unwrap();
    add(&mut builder, "static/a", b"x");
    let error = refusal(&gzip(&builder.into_inner().unwrap()));
    assert_eq!(error, ImportError::CompressionBomb { limit: Limits::default().ratio });
}

#[test]
fn names_that_are_too_long_are_refused() {
    let mut builder = tar(&course(""));
    let mut append = |path: String| {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        builder.append_data(&mut header, path, &b""[..]).unwrap();
    };
    append(format!("static/{}", "a".repeat(255)));
    append(format!("static/{}", "b".repeat(256)));
    let error = refusal(&gzip(&builder.into_inner().unwrap()));
    assert!(matches!(error, ImportError::NameTooLong { limit: 255, .. }), "{error}");

    let limits = Limits { path_bytes: 12, ..Limits::default() };
    let error = refusal_under(limits, &[("static/abcdef".to_owned(), Vec::new())]);
    assert!(matches!(error, ImportError::NameTooLong { limit: 12, .. }), "{error}");
}

#[test]
fn an_entry_that_stands_twice_is_refused() {
    for again in ["static/a", "./static/a", "static//a", "static/./a"] {
        let mut builder = tar(&course_with("", &[("static/a", b"1")]));
        add(&mut builder, again, b"2");
        let error = refusal(&gzip(&builder.into_inner().unwrap()));
        assert_eq!(error, ImportError::DuplicateEntry { path: "static/a".to_owned() }, "{again}");
    }
}

#[test]
fn a_missing_file_is_named_with_what_needs_it() {
    let missing = |path: &str, needed_by: &str| ImportError::MissingFile {
        path: path.to_owned(),
        needed_by: needed_by.to_owned(),
    };
    for gone in ["course/run.xml", "chapter/c1.xml", "sequential/s1.xml", "vertical/v1.xml"] {
        let files: Vec<_> = course("").into_iter().filter(|(path, _)| path != gone).collect();
        let error = refusal(&packed(&files));
        assert!(matches!(&error, ImportError::MissingFile { path, .. } if path == gone), "{gone}: {error}");
    }
    assert_eq!(refusal(&packed(&course(POINTER))), missing("html/h1.xml", "vertical/v1.xml"));
    let pointer_to_text = course_with(POINTER, &[("html/h1.xml", br#"<html filename="h2"/>"#)]);
    assert_eq!(refusal(&packed(&pointer_to_text)), missing("html/h2.html", "html/h1.xml"));
    let video = r#"<video youtube_id_1_0="AOUEsgFrYeg"><transcript language="en" src="a.srt"/></video>"#;
    assert_eq!(refusal(&packed(&course(video))), missing("static/a.srt", "vertical/v1.xml"));
    let files: Vec<_> = course("").into_iter().filter(|(path, _)| path != "course.xml").collect();
    assert_eq!(refusal(&packed(&files)), ImportError::NoCourse);
}

#[test]
fn xml_that_is_not_well_formed_is_refused_with_its_place() {
    for xml in [
        "",
        "<vertical>",
        "<vertical></chapter>",
        "<vertical a=1/>",
        "<vertical>&nbsp;</vertical>",
        "x",
        "<chapter/>",
    ] {
        let error = refusal(&packed(&course_with("", &[("vertical/v1.xml", xml.as_bytes())])));
        assert!(
            matches!(&error, ImportError::BadXml { path, .. } if path == "vertical/v1.xml"),
            "{xml}: {error}"
        );
    }
    let error = refusal(&packed(&course_with("", &[("vertical/v1.xml", b"<vertical>\xff</vertical>")])));
    assert_eq!(error, ImportError::NotUtf8 { path: "vertical/v1.xml".to_owned() });
}

#[test]
fn document_types_and_entities_are_refused() {
    let mut laughs = String::from("<!DOCTYPE lolz [<!ENTITY lol0 \"lol\">");
    for level in 1..10 {
        let below = format!("&lol{};", level - 1).repeat(10);
        laughs.push_str(&format!("<!ENTITY lol{level} \"{below}\">"));
    }
    laughs.push_str("]><vertical>&lol9;</vertical>");
    let external = r#"<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/passwd">]><vertical>&x;</vertical>"#;
    for xml in [&laughs, external, "<!DOCTYPE vertical><vertical/>"] {
        let error = refusal(&packed(&course_with("", &[("vertical/v1.xml", xml.as_bytes())])));
        assert_eq!(error, ImportError::DocumentType { path: "vertical/v1.xml".to_owned() });
    }
}

#[test]
fn blocks_in_blocks_without_end_are_refused() {
    let deep = format!("{}{}", "<wrapper>".repeat(50), "</wrapper>".repeat(50));
    assert!(matches!(refusal(&packed(&course(&deep))), ImportError::TooDeep { .. }));
    let bottomless = format!("{}{}", "<p>".repeat(150_000), "</p>".repeat(150_000));
    let files =
        course_with("", &[("static/noise", &noise(4 << 20)), ("vertical/v1.xml", bottomless.as_bytes())]);
    assert!(import(&packed(&files)).is_err(), "another root element, and no stack overflow");
}

#[test]
fn deeply_nested_html_and_problems_are_no_stack_overflow() {
    let nested = format!("{}x{}", "<div>".repeat(20_000), "</div>".repeat(20_000));
    let problem = format!(
        "<problem>{nested}<stringresponse answer=\"a\"><textline/></stringresponse></problem><html>{nested}</html>"
    );
    let imported = import(&packed(&course(&problem))).unwrap();
    assert_eq!(imported.raw.len(), 2, "kept raw: {:?}", imported.report.blocks);
}

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

#[test]
fn a_course_that_contains_itself_ends() {
    let files = course_with(
        r#"<vertical url_name="v1"/><wrapper url_name="w1"/>"#,
        &[("wrapper/w1.xml", br#"<wrapper><vertical url_name="v1"/><wrapper url_name="w1"/></wrapper>"#)],
    );
    let imported = import(&packed(&files)).unwrap();
    let again = imported.report.blocks.iter().filter(|block| block.kind == "vertical").count();
    assert_eq!(again, 3, "{:?}", imported.report.blocks);
}

#[test]
fn every_refusal_has_a_name_for_programs_and_a_message_for_a_person() {
    let error = refusal(&packed(&course(POINTER)));
    assert_eq!(error.slug(), "missing-file");
    assert_eq!(error.to_string(), r#""vertical/v1.xml" needs "html/h1.xml", which is not in the archive"#);
}
