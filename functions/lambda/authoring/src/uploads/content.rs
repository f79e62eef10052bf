//! What a file is, by its content.

use akademi_domain::upload::FileKind;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// So many bytes of its beginning tell what a file is that is no document.
pub const HEAD_BYTES: u64 = 4096;
/// What an Office file says of its parts, at most, in bytes.
const MAX_LIST_BYTES: u64 = 1 << 20;
/// Where it says so (ECMA-376 part 2, §10.1.2.2).
const LIST: &str = "[Content_Types].xml";
/// What begins a zip (APPNOTE.TXT §4.3.7).
const ZIP: &[u8] = b"PK\x03\x04";

/// The media type, if a file of this kind may have it. Of a document `bytes` are all, else at least the first [`HEAD_BYTES`].
pub fn content_type(kind: FileKind, bytes: &[u8]) -> Option<&'static str> {
    let known = kind.content_types();
    if bytes.starts_with(ZIP) {
        return if kind == FileKind::Document { office_type(bytes, known) } else { None };
    }
    let found = infer::get(bytes)?.mime_type();
    known.iter().find(|known| **known == found).copied()
}

/// Which of these an Office file is: that of its main part, which must be there. One with macros has another.
fn office_type(bytes: &[u8], known: &[&'static str]) -> Option<&'static str> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut list = String::new();
    archive.by_name(LIST).ok()?.take(MAX_LIST_BYTES).read_to_string(&mut list).ok()?;
    let list = roxmltree::Document::parse(&list).ok()?;
    let parts = list.descendants().filter(|node| node.tag_name().name() == "Override");
    let (part, found) = parts
        .filter_map(|node| {
            let main = node.attribute("ContentType")?.strip_suffix(".main+xml")?;
            let found = known.iter().find(|known| **known == main)?;
            Some((node.attribute("PartName")?.strip_prefix('/')?.to_owned(), *found))
        })
        .next()?;
    archive.by_name(&part).ok()?;
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::{ZipWriter, write::SimpleFileOptions};

    const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    const SLIDES: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

    fn zip(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn office(part: &str, main: &str, files: &[(&str, &str)]) -> Vec<u8> {
        let list = format!(
            "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
             <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
             <Override PartName=\"/{part}\" ContentType=\"{main}\"/></Types>"
        );
        zip(&[&[(LIST, list.as_str())], files].concat())
    }

    #[test]
    fn office_files_are_what_their_main_part_is() {
        for (part, kind) in
            [("word/document.xml", WORD), ("xl/workbook.xml", SHEET), ("ppt/presentation.xml", SLIDES)]
        {
            let main = format!("{kind}.main+xml");
            let whole = office(part, &main, &[(part, "<x/>")]);
            assert_eq!(content_type(FileKind::Document, &whole), Some(kind));
            for other in [FileKind::Image, FileKind::Audio, FileKind::Video] {
                assert_eq!(content_type(other, &whole), None);
            }
            assert_eq!(
                content_type(FileKind::Document, &office(part, &main, &[])),
                None,
                "it has no main part"
            );
            let cut = &whole[..whole.len() - 10];
            assert_eq!(content_type(FileKind::Document, cut), None, "it is not whole");
        }
    }

    #[test]
    fn other_zips_are_no_documents() {
        let macros = "application/vnd.ms-word.document.macroEnabled.main+xml";
        let part = [("word/document.xml", "<x/>")];
        for (name, bytes) in [
            ("with macros", office("word/document.xml", macros, &part)),
            ("without a list", zip(&part)),
            ("with a list that is no XML", zip(&[(LIST, WORD), part[0]])),
            ("with nothing", zip(&[])),
            ("not whole", b"PK\x03\x04word/document.xml".to_vec()),
        ] {
            assert_eq!(content_type(FileKind::Document, &bytes), None, "{name}");
        }
    }

    #[test]
    fn a_file_is_of_its_kind_or_refused() {
        let film = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41".as_slice();
        let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice();
        let sound = b"ID3\x04\0\0\0\0\0\0".as_slice();
        let text = b"%PDF-1.7\n".as_slice();
        let all = [
            (FileKind::Video, film, "video/mp4"),
            (FileKind::Image, picture, "image/png"),
            (FileKind::Audio, sound, "audio/mpeg"),
            (FileKind::Document, text, "application/pdf"),
        ];
        for (kind, _, found) in all {
            for (own, bytes, _) in all {
                assert_eq!(content_type(kind, bytes), (own == kind).then_some(found), "{own:?} as {kind:?}");
            }
            for other in [
                b"<html><script>".as_slice(),
                b"<svg xmlns='x'/>",
                b"MZ\x90\0",
                b"\x7fELF\x02\x01",
                b"abc",
                b"",
            ] {
                assert_eq!(content_type(kind, other), None, "{other:?}");
            }
        }
    }
}
