//! How HTML, videos, documents and subtitles are read.

use akademi_domain::course::Html;
use akademi_olx::{
    Became, BlockOutcome, Content, FileOutcome, Reference, Subtitles, Video, VideoSource, resolve, sanitise,
    webvtt_from_srt,
};
use proptest::prelude::*;

use crate::archives::{imported, last_block, lessons, only_lesson};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const PDF: &[u8] = b"%PDF-1.4\n%%EOF";
const SRT: &[u8] = b"1\n00:00:01,000 --> 00:00:02,000\nMerhaba\n";

fn html_of(source: &str, files: &[(&str, &[u8])]) -> Html {
    match only_lesson(&imported(&format!("<html><![CDATA[{source}]]></html>"), files)).content {
        Content::Html(html) => html,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_active_is_left_of_html() {
    for hostile in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href=\"javascript:alert(1)\">a</a>",
        "<a href=\" JaVaScRiPt:alert(1)\">a</a>",
        "<a href=\"data:text/html,<script>alert(1)</script>\">a</a>",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<math><mtext></p><style><img src=x onerror=alert(1)></style></mtext></math>",
        "<iframe src=\"https://evil.example\"></iframe>",
        "<object data=\"/static/evil.html\"></object><embed src=x>",
        "<form action=\"https://evil.example\"><input name=password><button>ok</button></form>",
        "<p style=\"position:fixed;background:url(https://evil.example)\" class=\"admin\" id=\"x\">a</p>",
        "<meta http-equiv=refresh content=\"0;url=https://evil.example\"><base href=\"https://evil.example\">",
        "<link rel=stylesheet href=\"https://evil.example\"><style>@import 'https://evil.example'</style>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
    ] {
        for html in [html_of(hostile, &[]), sanitise(hostile).unwrap()] {
            let html = html.as_str();
            for active in [
                "<script",
                "onerror",
                "onload",
                "javascript",
                "data:",
                "<iframe",
                "<object",
                "<embed",
                "<form",
                "<input",
                "style",
                "class=",
                "id=",
                "<meta",
                "<base",
                "<link",
                "<svg",
                "evil.example",
            ] {
                assert!(!html.contains(active) || html.contains("title=\""), "{active} in {html}");
            }
            assert!(!html.contains("<img src=x"), "{html}");
        }
    }
}

#[test]
fn images_and_links_of_the_course_become_references() {
    let files: [(&str, &[u8]); 3] =
        [("static/Işık 1.png", PNG), ("static/Learning Goals.pdf", PDF), ("static/a.html", b"<html></html>")];
    let html = |source: &str| html_of(&format!("x{source}"), &files[..1]);
    for (source, expected) in [
        (r#"<img src="/static/Işık_1.png" alt="a">"#, r#"<img src="asset:I%C5%9F%C4%B1k%201.png" alt="a">"#),
        (r#"<img src="/static/I%C5%9F%C4%B1k%201.png?x#y">"#, r#"<img src="asset:I%C5%9F%C4%B1k%201.png">"#),
        (
            r#"<img src="/asset-v1:O+C+R+type@asset+block@Işık_1.png">"#,
            r#"<img src="asset:I%C5%9F%C4%B1k%201.png">"#,
        ),
        (r#"<img src="/static/gone.png" alt="a">"#, r#"<img alt="a">"#),
        (r#"<img src="asset:secret">"#, "<img>"),
        (r#"<a href="/jump_to_id/v1">a</a>"#, r#"<a href="block:v1" rel="noopener noreferrer">a</a>"#),
        (r#"<a href="/jump_to_id/gone">a</a>"#, r#"<a rel="noopener noreferrer">a</a>"#),
        (r#"<a href="../admin">a</a>"#, r#"<a rel="noopener noreferrer">a</a>"#),
        (r#"<a href="//evil.example">a</a>"#, r#"<a rel="noopener noreferrer">a</a>"#),
        (r#"<a href="block:v1">a</a>"#, r#"<a rel="noopener noreferrer">a</a>"#),
        (
            r#"<a href="https://openedx.org/">a</a>"#,
            r#"<a href="https://openedx.org/" rel="noopener noreferrer">a</a>"#,
        ),
    ] {
        assert_eq!(html(source).as_str(), format!("x{expected}"), "{source}");
    }
    let imported =
        imported("<html><![CDATA[<img src=\"/static/gone.png\">x<script></script>]]></html>", &files);
    let (outcome, notes) = last_block(&imported);
    assert_eq!(outcome, BlockOutcome::Imported { became: Became::HtmlLesson });
    assert!(notes.iter().any(|note| note.contains("/static/gone.png")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("scripts")), "{notes:?}");
}

#[test]
fn references_are_resolved_to_urls_and_to_nothing_else() {
    let html = html_of(
        r#"<img src="/static/a b.png"><a href="/jump_to_id/v1">="asset:x"</a>"#,
        &[("static/a b.png", PNG)],
    );
    let resolved = resolve(&html, |reference| match reference {
        Reference::Asset(path) if path == "a b.png" => Some("/media/1.png?a=1&b=2".to_owned()),
        Reference::Block(name) if name == "v1" => Some("javascript:alert(1)".to_owned()),
        _ => panic!("{reference}"),
    });
    assert_eq!(
        resolved.as_str(),
        r#"<img src="/media/1.png?a=1&amp;b=2"><a rel="noopener noreferrer">="asset:x"</a>"#
    );
    assert!(!resolve(&html, |_| None).as_str().contains("asset:a"));
}

#[test]
fn links_lead_to_the_first_lesson_of_what_they_name() {
    let imported = imported(
        r#"<poll url_name="p1" xblock-family="x"/><html url_name="h1">a</html>"#,
        &[("html/h1.xml", b"<html>a</html>")],
    );
    for name in ["c1", "s1", "v1", "h1"] {
        assert_eq!(imported.links.get(name).map(String::as_str), Some("html/h1"), "{name}");
    }
    assert_eq!(imported.links.get("p1"), None, "kept raw: no lesson");
}

#[test]
fn html_that_a_parser_takes_long_for_is_kept_raw() {
    let formatting: String = (0..200).map(|index| format!("<b id={index}>")).collect();
    for (source, reason) in [
        ("<div>".repeat(20_000), "nested"),
        (format!("{formatting}{}", "<p>a".repeat(40_000)), "nested"),
        ("a".repeat(Html::MAX + 1), "longer"),
        (format!("a{}", "&".repeat(Html::MAX - 10)), "longer"),
    ] {
        let imported = imported(&format!("<html><![CDATA[{source}]]></html>"), &[]);
        match last_block(&imported).0 {
            BlockOutcome::KeptRaw { reason: found } => assert!(found.contains(reason), "{found}"),
            other => panic!("{other:?}"),
        }
        assert!(sanitise(&source).is_err());
    }
    let long_page = format!("{}<ul>{}</ul>", "<p>a<br>".repeat(5_000), "<li>a".repeat(5_000));
    assert!(sanitise(&long_page).is_ok(), "unclosed paragraphs and list items are no nesting");
}

#[test]
fn an_html_block_of_scripts_only_is_an_empty_lesson() {
    let imported = imported("<html><script src='a.js'/><link href='a.css'/></html>", &[]);
    assert!(only_lesson(&imported).is_empty());
    assert!(last_block(&imported).1.contains(&"nothing of it can be seen".to_owned()));
    assert!(!only_lesson(&crate::archives::imported("<html><p>a</p></html>", &[])).is_empty());
}

#[test]
fn lesson_titles_name_the_vertical_and_the_block() {
    let blocks = r#"<html display_name="Giriş">a</html><html>b</html><html display_name="BİRİM">c</html>"#;
    let imported = imported(blocks, &[]);
    let titles: Vec<&str> = lessons(&imported).into_iter().map(|lesson| lesson.title.as_str()).collect();
    assert_eq!(titles, ["Birim: Giriş", "Birim", "Birim"]);
}

#[test]
fn what_nothing_points_to_is_reported_as_skipped() {
    let files: [(&str, &[u8]); 3] =
        [("poll/lost.xml", b"<poll/>"), ("drafts/vertical/d.xml", b"<vertical/>"), ("notes.txt", b"x")];
    let imported = imported("<html>a</html>", &files);
    let lost = imported.report.blocks.last().unwrap();
    assert_eq!((lost.source_key.as_str(), lost.kind.as_str()), ("poll/lost", "poll"));
    assert!(matches!(lost.outcome, BlockOutcome::Skipped { .. }));
    for (path, _) in files {
        let file = imported.report.files.iter().find(|file| file.path == path).unwrap();
        assert!(matches!(file.outcome, FileOutcome::Skipped { .. }), "{file:?}");
    }
}

#[test]
fn what_was_hidden_is_reported() {
    let imported =
        imported(r#"<html visible_to_staff_only="true" group_access="{&quot;1&quot;: [2]}">a</html>"#, &[]);
    assert_eq!(last_block(&imported).1.len(), 2);
}

#[test]
fn a_video_comes_from_youtube_or_from_the_archive() {
    let video = |source: &str| match only_lesson(&imported(
        source,
        &[("static/my film.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"), ("static/a.srt", SRT)],
    ))
    .content
    {
        Content::Video(video) => video,
        other => panic!("{other:?}"),
    };
    let youtube = VideoSource::Youtube("AOUEsgFrYeg".parse().unwrap());
    assert_eq!(
        video(
            r#"<video youtube="0.75:bbbbbbbbbbb,1.00:AOUEsgFrYeg" start_time="00:11:39" end_time="00:12:57" transcripts="{&quot;tr&quot;: &quot;a.srt&quot;}"><transcript language="tr" src="a.srt"/></video>"#
        ),
        Video {
            source: youtube.clone(),
            start_seconds: Some(699),
            end_seconds: Some(777),
            subtitles: vec![Subtitles { language: "tr".parse().unwrap(), asset: "a.vtt".to_owned() }],
        }
    );
    assert_eq!(
        video(r#"<video youtube_id_1_0="AOUEsgFrYeg" start_time="00:00:00" end_time="0.0"/>"#).end_seconds,
        None
    );
    for source in [
        r#"<video youtube_id_1_0=""><source src="https://cdn.example/videos/my%20film.mp4?x=1"/></video>"#,
        r#"<video html5_sources="[&quot;/static/my_film.mp4&quot;]"/>"#,
    ] {
        assert_eq!(video(source).source, VideoSource::Asset("my film.mp4".to_owned()), "{source}");
    }
    for (source, reason) in [
        (r#"<video html5_sources="[&quot;https://cdn.example/gone.mp4&quot;]"/>"#, "gone.mp4"),
        (r#"<video html5_sources="[&quot;/static/a.srt&quot;]"/>"#, "a.srt"),
        ("<video display_name='a'/>", "names no video"),
    ] {
        let imported = imported(source, &[("static/a.srt", SRT)]);
        match last_block(&imported).0 {
            BlockOutcome::KeptRaw { reason: found } => assert!(found.contains(reason), "{found}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(imported.raw.len(), 1);
    }
}

#[test]
fn subtitles_that_cannot_be_read_are_left_out_and_reported() {
    let video = r#"<video youtube_id_1_0="AOUEsgFrYeg"><transcript language="tr" src="a.srt"/></video>"#;
    for srt in [&b"no cue"[..], b"1\n00:00:01,000 --> 00:00:02,000\n\xdd\xfe\n"] {
        let imported = imported(video, &[("static/a.srt", srt)]);
        assert!(last_block(&imported).1[0].contains("a.srt"));
        let file = imported.report.files.iter().find(|file| file.path == "static/a.srt").unwrap();
        assert!(matches!(file.outcome, FileOutcome::Skipped { .. }), "{file:?}");
        assert!(imported.assets.is_empty());
    }
}

#[test]
fn a_pdf_becomes_one_document_after_the_block_that_refers_to_it_first() {
    let blocks = r#"<html><a href="/static/Ders_notu.pdf">a</a></html><html><object data="/static/Ders_notu.pdf"/></html>"#;
    let imported = imported(
        blocks,
        &[("static/Ders notu.pdf", PDF), ("static/alone.pdf", PDF), ("static/fake.pdf", b"x")],
    );
    let lessons = lessons(&imported);
    assert_eq!(lessons.len(), 3);
    assert_eq!(lessons[1].title.as_str(), "Ders notu");
    assert_eq!(lessons[1].source_key, "static/Ders notu.pdf");
    assert_eq!(lessons[1].content, Content::Document("Ders notu.pdf".to_owned()));
    let types: Vec<(&str, &str)> =
        imported.assets.iter().map(|asset| (asset.path.as_str(), asset.content_type)).collect();
    assert_eq!(
        types,
        [("Ders notu.pdf", "application/pdf"), ("alone.pdf", "application/pdf"), ("fake.pdf", "text/plain")]
    );
}

#[test]
fn subrip_becomes_webvtt() {
    let srt = "\u{feff}2\r\n00:01:02,5 --> 00:01:04,000 X1:1\r\n<i>Işık</i> & <font color=red>ısı</font> a < b --> c\r\nikinci\r\n\r\n\
               1\r00:00:00,000 --> 00:00:01,250\r{\\an8}<b>Önce</i>\r\r3\n01:00:00.000 --> 00:00:01.000\nends before it starts\n\n\
               4\n00:02:00,000 --> 00:02:01,000\n42\n5\n00:02:02,000 --> 00:02:03,000\nno empty line before";
    assert_eq!(
        webvtt_from_srt(srt).unwrap(),
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.250\nÖnce\n\n\
         00:01:02.500 --> 00:01:04.000\n<i>Işık</i> &amp; ısı a &lt; b --&gt; c\nikinci\n\n\
         00:02:00.000 --> 00:02:01.000\n42\n\n00:02:02.000 --> 00:02:03.000\nno empty line before\n"
    );
    assert!(webvtt_from_srt("just text\n\n00:00 --> x\n").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn webvtt_has_ordered_cues_and_no_stray_markup(text in "(?s)[0-9:,>< \n\r\\-a&{}\\\\ibIB/]{0,200}") {
        let srt = format!("1\n00:00:05,000 --> 00:00:06,000\na{text}\n\n2\n00:00:01,000 --> 00:00:02,000\nb\n");
        let vtt = webvtt_from_srt(&srt).unwrap();
        let mut starts = Vec::new();
        for line in vtt.lines() {
            if let Some((start, _)) = line.split_once(" --> ") {
                starts.push(start.to_owned());
            }
            prop_assert!(!line.contains("-->") || line.len() == 29, "{line}");
        }
        prop_assert!(starts.is_sorted());
    }
}
