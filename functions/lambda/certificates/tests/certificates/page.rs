//! What other programs see in a rendered certificate: poppler's tools and a QR decoder.

use akademi_certificates::render::{Certificate, Locale, RenderError, Renderer};

use crate::pdf::{Pdf, qr_codes};

const SERIAL: &str = "9f86d081884c7d659a2feaa0c55ad015";
const URL: &str = "https://umraniye.akademi.example/verify/9f86d081884c7d659a2feaa0c55ad015";

fn certificate(locale: Locale) -> Certificate {
    Certificate {
        learner_name: "Şükrü Iğdır Çağlayangöl".to_owned(),
        course_title: "İklim ve Işık: Açık Ders".to_owned(),
        academy_name: "Ümraniye Belediyesi Akademisi".to_owned(),
        brand_colour: "#0b6e4f".parse().unwrap(),
        logo: None,
        serial: SERIAL.parse().unwrap(),
        issued_on: jiff::civil::date(2026, 11, 21),
        verify_url: URL.parse().unwrap(),
        locale,
    }
}

fn named(learner_name: &str) -> Certificate {
    Certificate { learner_name: learner_name.to_owned(), ..certificate(Locale::Tr) }
}

#[test]
fn every_word_of_a_turkish_certificate_can_be_read_from_it() {
    let text = Pdf::of(&certificate(Locale::Tr)).text();
    let lines: Vec<&str> = text.lines().collect();
    for line in [
        "Şükrü Iğdır Çağlayangöl",
        "İklim ve Işık: Açık Ders",
        "Ümraniye Belediyesi Akademisi",
        "Tamamlama Sertifikası",
        "21 Kasım 2026",
        SERIAL,
    ] {
        assert!(lines.contains(&line), "{line:?} is not a line of {lines:#?}");
    }
    assert!(text.replace('\n', "").contains(URL), "{text}");
}

#[test]
fn the_other_language_changes_the_words_and_the_date_and_not_the_names() {
    let text = Pdf::of(&certificate(Locale::En)).text();
    let lines: Vec<&str> = text.lines().collect();
    for line in [
        "Şükrü Iğdır Çağlayangöl",
        "İklim ve Işık: Açık Ders",
        "Certificate of Completion",
        "21 November 2026",
        SERIAL,
    ] {
        assert!(lines.contains(&line), "{line:?} is not a line of {lines:#?}");
    }
    assert!(!text.contains("Kasım"), "{text}");
}

#[test]
fn a_decoder_reads_the_verification_address_from_the_printed_page() {
    assert_eq!(qr_codes(&Pdf::of(&certificate(Locale::Tr))), [URL]);
}

#[test]
fn the_longest_verification_address_still_scans() {
    let long = format!("https://umraniye.example/verify/{SERIAL}?{}", "q".repeat(135));
    assert_eq!(long.len(), 200);
    let pdf = Pdf::of(&Certificate { verify_url: long.parse().unwrap(), ..certificate(Locale::En) });
    assert_eq!(qr_codes(&pdf), [long]);
    assert_eq!(pdf.pages(), "1");
}

#[test]
fn the_text_and_the_code_link_to_the_verification_page() {
    let links = Pdf::of(&certificate(Locale::En)).tool("pdfinfo", &["-url"], &[]);
    let annotations: Vec<&str> = links.lines().filter(|line| line.contains("Annotation")).collect();
    assert!(annotations.len() >= 2, "{links}");
    assert!(annotations.iter().all(|line| line.ends_with(URL)), "{links}");
}

#[test]
fn every_font_is_embedded_as_a_subset_that_maps_back_to_unicode() {
    let table = Pdf::of(&named("Ali العربية 🎓")).tool("pdffonts", &[], &[]);
    let fonts: Vec<Vec<&str>> = table.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(fonts.len(), 4, "{table}");
    for columns in &fonts {
        // … encoding emb sub uni object generation
        let [emb, sub, uni] = columns[columns.len() - 5..columns.len() - 2] else { unreachable!() };
        assert_eq!((emb, sub, uni), ("yes", "yes", "yes"), "{table}");
    }
    assert!(
        table.contains("LibertinusSerif") && table.contains("DejaVu") && table.contains("NotoEmoji"),
        "{table}"
    );
}

#[test]
fn the_file_is_one_a4_page_in_landscape_and_says_that_it_is_pdf_a_2b() {
    let bytes = Renderer::new().unwrap().render(&certificate(Locale::Tr)).unwrap();
    let pdf = Pdf::from_bytes(&bytes);
    let info = pdf.tool("pdfinfo", &[], &[]);
    assert_eq!(pdf.pages(), "1");
    assert!(info.contains("841.89 x 595.276 pts (A4)"), "{info}");
    assert!(info.contains("Tamamlama Sertifikası · İklim ve Işık: Açık Ders"), "{info}");
    assert!(info.contains("Tagged:          yes"), "{info}");
    let metadata = pdf.tool("pdfinfo", &["-meta"], &[]);
    assert!(metadata.contains("<pdfaid:part>2</pdfaid:part>"), "{metadata}");
    assert!(metadata.contains("<pdfaid:conformance>B</pdfaid:conformance>"), "{metadata}");
}

#[test]
fn the_same_certificate_gives_the_same_bytes_from_any_renderer_and_thread() {
    let renderer = Renderer::new().unwrap();
    let first = renderer.render(&certificate(Locale::Tr)).unwrap();
    assert_ne!(first, renderer.render(&named("Ayşe Yılmaz")).unwrap());
    let again: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..3).map(|_| scope.spawn(|| renderer.render(&certificate(Locale::Tr)).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(again.iter().all(|bytes| *bytes == first));
    assert_eq!(Renderer::new().unwrap().render(&certificate(Locale::Tr)).unwrap(), first);
}

#[test]
fn markup_and_code_are_printed_as_they_are_written() {
    for hostile in [
        "#import \"x\": *",
        "#sys.inputs #eval(\"1\")",
        "<script>alert(1)</script>",
        "*bold* _x_ `raw` $a^2$",
        "\\u{41} ~ -- --- ... 'q' \"q\"",
        "= Heading // comment /* x */ @ref <l>",
        "]#panic()[",
        "${7*7} {{7*7}}",
        "'); DROP TABLE x; -- y",
    ] {
        let pdf = Pdf::of(&named(hostile));
        let text = pdf.text();
        assert!(text.lines().any(|line| line == hostile), "{hostile:?} is not a line of {text}");
        assert_eq!(pdf.pages(), "1");
    }
}

#[test]
fn characters_that_steer_text_are_shown_and_steer_nothing() {
    let text = Pdf::of(&named("Ali\u{202e}ilA\u{0}\u{7}\u{2067}x\u{feff}\u{200b}y\r\n\tz")).text();
    assert!(text.contains("Ali[U+202E]ilA[U+0000][U+0007][U+2067]xy z"), "{text}");
    assert!(text.lines().any(|line| line == "İklim ve Işık: Açık Ders"), "{text}");
}

#[test]
fn emoji_and_other_scripts_are_drawn_and_what_no_font_has_is_spelled_out() {
    let text = Pdf::of(&named("Ada 🎓 Ελένη Жанна 王")).text();
    assert!(text.contains("Ada 🎓 Ελένη Жанна [U+738B]"), "{text}");
}

#[test]
fn names_of_any_length_stay_on_the_page_and_move_nothing() {
    let usual = Pdf::of(&certificate(Locale::Tr));
    for long in
        ["W".repeat(4_000), "Çağ ".repeat(1_000), "🎓".repeat(4_000), format!("a{}", "\u{301}".repeat(4_000))]
    {
        let pdf = Pdf::of(&Certificate {
            learner_name: long.clone(),
            course_title: long.clone(),
            academy_name: long,
            ..certificate(Locale::Tr)
        });
        assert_eq!(pdf.pages(), "1");
        assert_eq!(qr_codes(&pdf), [URL]);
        assert!(pdf.text().contains("21 Kasım 2026"));
        // The lower left, where the date and a part of the seal stand, is the same to the dot.
        assert!(pdf.lower_quarters()[0] == usual.lower_quarters()[0], "the date has moved or is covered");
    }
}

#[test]
fn no_text_at_all_is_refused() {
    for blank in ["", "   ", "\u{200b}\u{feff}", "\n\t", "\u{200d}", "\u{301}"] {
        let problem = Renderer::new().unwrap().render(&named(blank)).unwrap_err();
        assert!(matches!(problem, RenderError::Blank("learner_name")), "{blank:?}: {problem:?}");
    }
}

/// PDF/A refuses a page with a glyph that its font does not have: no character may lead there.
#[test]
fn any_character_of_unicode_alone_or_with_a_mark_gives_a_page() {
    let renderer = Renderer::new().unwrap();
    // Every 7th character of the basic plane and every 61st beyond meets each block in a few seconds.
    let characters: Vec<char> =
        (1..0x1_0000).step_by(7).chain((0x1_0000..0x2_0000).step_by(61)).filter_map(char::from_u32).collect();
    for group in characters.chunks(60) {
        let marked: String = group
            .iter()
            .zip(["", "\u{301}", "\u{5b0}", "\u{64e}", "\u{20e3}"].iter().cycle())
            .flat_map(|(c, mark)| [c.to_string(), (*mark).to_owned()])
            .collect();
        renderer
            .render(&named(&format!("A{marked}")))
            .unwrap_or_else(|problem| panic!("{marked:?}: {problem:?}"));
    }
}
