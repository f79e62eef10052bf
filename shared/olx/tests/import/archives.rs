//! Archives made for a test.

use akademi_olx::{BlockOutcome, ImportError, Imported, Lesson, Limits};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use tar::{Builder, EntryType, Header};

/// The files of a course with one chapter, sequential and vertical, in which `blocks` stand.
pub fn course(blocks: &str) -> Vec<(String, Vec<u8>)> {
    [
        ("course.xml", r#"<course url_name="run" org="o" course="c"/>"#.to_owned()),
        (
            "course/run.xml",
            r#"<course display_name="Kurs" language="tr"><chapter url_name="c1"/></course>"#.to_owned(),
        ),
        (
            "chapter/c1.xml",
            r#"<chapter display_name="Bölüm"><sequential url_name="s1"/></chapter>"#.to_owned(),
        ),
        (
            "sequential/s1.xml",
            r#"<sequential display_name="Kısım"><vertical url_name="v1"/></sequential>"#.to_owned(),
        ),
        ("vertical/v1.xml", format!(r#"<vertical display_name="Birim">{blocks}</vertical>"#)),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.into_bytes()))
    .collect()
}

/// The same with further files, or other content for the same ones.
pub fn course_with(blocks: &str, files: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
    let mut all = course(blocks);
    for (path, bytes) in files {
        all.retain(|(other, _)| other != path);
        all.push(((*path).to_owned(), bytes.to_vec()));
    }
    all
}

pub fn header(kind: EntryType, path: &[u8], size: u64) -> Header {
    let mut header = Header::new_ustar();
    // Written past `set_path`, which refuses what the tests are about.
    header.as_old_mut().name[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

pub fn tar(files: &[(String, Vec<u8>)]) -> Builder<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for (path, bytes) in files {
        add(&mut builder, path, bytes);
    }
    builder
}

pub fn add(builder: &mut Builder<Vec<u8>>, path: &str, bytes: &[u8]) {
    builder.append(&header(EntryType::Regular, path.as_bytes(), bytes.len() as u64), bytes).unwrap();
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    gzip(&tar(files).into_inner().unwrap())
}

pub fn import(bytes: &[u8]) -> Result<Imported, ImportError> {
    akademi_olx::import(bytes, &Limits::default())
}

/// The lessons of a course in order.
pub fn lessons(imported: &Imported) -> Vec<&Lesson> {
    imported.modules.iter().flat_map(|module| &module.sections).flat_map(|section| &section.lessons).collect()
}

/// The import of [`course_with`].
pub fn imported(blocks: &str, files: &[(&str, &[u8])]) -> Imported {
    import(&packed(&course_with(blocks, files))).unwrap()
}

/// The lesson of a course that has one.
pub fn only_lesson(imported: &Imported) -> Lesson {
    let lessons = lessons(imported);
    assert_eq!(lessons.len(), 1, "{:?}", imported.report.blocks);
    lessons[0].clone()
}

/// The outcome and the notes of the last block.
pub fn last_block(imported: &Imported) -> (BlockOutcome, Vec<String>) {
    let block = imported.report.blocks.last().unwrap();
    (block.outcome.clone(), block.notes.clone())
}
