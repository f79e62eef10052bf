//! How single blocks are read.

use akademi_domain::{
    course::Html,
    quiz::{
        Answer, AnswerForm, AnswerKey, ChoiceId, NumberRule, QuestionId, Quiz, Rule, Score, Submission,
        SubmittedAnswer, TextRule, Tolerance, score,
    },
};
use akademi_olx::{
    Became, BlockOutcome, Content, FileOutcome, Imported, Lesson, Reference, Subtitles, Video, VideoSource,
    resolve, sanitise, webvtt_from_srt,
};
use proptest::prelude::*;

use crate::archives::{course, course_with, import, lessons, packed};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const PDF: &[u8] = b"%PDF-1.4\n%%EOF";
const SRT: &[u8] = b"1\n00:00:01,000 --> 00:00:02,000\nMerhaba\n";

fn imported(blocks: &str, files: &[(&str, &[u8])]) -> Imported {
    import(&packed(&course_with(blocks, files))).unwrap()
}

fn only_lesson(imported: &Imported) -> Lesson {
    let lessons = lessons(imported);
    assert_eq!(lessons.len(), 1, "{:?}", imported.report.blocks);
    lessons[0].clone()
}

fn html_of(source: &str, files: &[(&str, &[u8])]) -> Html {
    match only_lesson(&imported(&format!("<html><![CDATA[{source}]]></html>"), files)).content {
        Content::Html(html) => html,
        other => panic!("{other:?}"),
    }
}

fn quiz_of(problem: &str) -> (Quiz, AnswerKey) {
    match only_lesson(&imported(problem, &[])).content {
        Content::Quiz { quiz, key } => (quiz, key),
        other => panic!("{other:?}"),
    }
}

/// The outcome and the notes of the last block.
fn last_block(imported: &Imported) -> (BlockOutcome, Vec<String>) {
    let block = imported.report.blocks.last().unwrap();
    (block.outcome.clone(), block.notes.clone())
}

fn answered(key: &AnswerKey, answer: Answer) -> Score {
    let question: QuestionId = key.questions[0].question.clone();
    score(key, &Submission { answers: vec![SubmittedAnswer { question, answer }] }).unwrap().score
}

fn typed(key: &AnswerKey, text: &str) -> u32 {
    answered(key, Answer::Text(text.to_owned())).points
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
    assert!(!only_lesson(&self::imported("<html><p>a</p></html>", &[])).is_empty());
}

#[test]
fn lesson_titles_name_the_vertical_and_the_block() {
    let blocks = r#"<html display_name="Giriş">a</html><html>b</html><html display_name="BİRİM">c</html>"#;
    let imported = imported(blocks, &[]);
    let titles: Vec<&str> = lessons(&imported).into_iter().map(|lesson| lesson.title.as_str()).collect();
    assert_eq!(titles, ["Birim: Giriş", "Birim", "Birim"]);
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
fn choices_are_scored_by_what_the_problem_says_is_right() {
    let (quiz, key) = quiz_of(
        r#"<problem><p>Bir</p><multiplechoiceresponse><label>Soru?</label><choicegroup>
            <choice correct="false">A <choicehint>no</choicehint></choice><choice correct="TRUE"><b>B</b></choice>
            </choicegroup><solution><p>Çünkü</p></solution></multiplechoiceresponse><demandhint><hint>think</hint></demandhint></problem>"#,
    );
    assert_eq!(quiz.introduction.as_str(), "<p>Bir</p>");
    assert_eq!(quiz.questions[0].prompt.as_str(), "<p>Soru?</p>");
    let AnswerForm::SingleChoice { choices } = &quiz.questions[0].form else { panic!("{quiz:?}") };
    assert_eq!(choices.iter().map(|choice| choice.label.as_str()).collect::<Vec<_>>(), ["A", "<b>B</b>"]);
    assert_eq!(key.explanation.as_str(), "<p>Çünkü</p>");
    let choose = |ids: &[usize]| {
        let chosen = ids.iter().map(|index| choices[*index].id.clone()).collect();
        answered(&key, Answer::Choices(chosen)).points
    };
    assert_eq!([choose(&[0]), choose(&[1]), choose(&[0, 1])], [0, 1, 0]);

    let (_, key) = quiz_of(
        r#"<problem><choiceresponse><checkboxgroup><choice correct="true">A</choice><choice correct="false">B</choice>
            <choice correct="true">C</choice></checkboxgroup></choiceresponse></problem>"#,
    );
    let all: Vec<ChoiceId> = match &key.questions[0].rule {
        Rule::AllOf { correct } => correct.iter().cloned().collect(),
        other => panic!("{other:?}"),
    };
    assert_eq!(answered(&key, Answer::Choices(all.into_iter().collect())), Score { points: 1, max: 1 });
}

#[test]
fn drop_downs_are_read_in_both_of_their_spellings() {
    for list in [
        r#"<optioninput options="('Sidney','Canberra, ACT',&quot;L'ville&quot;)" correct="Canberra, ACT"/>"#,
        r#"<optioninput><option correct="False">Sidney</option><option correct="True">Canberra, ACT<optionhint>x</optionhint></option><option>L'ville</option></optioninput>"#,
    ] {
        let (quiz, key) = quiz_of(&format!("<problem><optionresponse>{list}</optionresponse></problem>"));
        let AnswerForm::DropDown { choices } = &quiz.questions[0].form else { panic!("{quiz:?}") };
        let labels: Vec<&str> = choices.iter().map(|choice| choice.label.as_str()).collect();
        assert_eq!(labels, ["Sidney", "Canberra, ACT", "L'ville"]);
        assert_eq!(answered(&key, Answer::Choices([choices[1].id.clone()].into())).points, 1);
    }
}

#[test]
fn responses_in_a_table_ask_with_their_row_and_column() {
    let list = |right: &str| {
        format!(r#"<optionresponse><optioninput options="('a','b')" correct="{right}"/></optionresponse>"#)
    };
    let (quiz, key) = quiz_of(&format!(
        "<problem><p>Who?</p><table><tr><th>Theory</th><th>Person</th><th>Land</th></tr>\
         <tr><td><b>T1</b></td><td>{}</td><td>{}</td></tr><tr><td>T2</td><td>{}</td><td/></tr></table><p>End</p></problem>",
        list("a"),
        list("b"),
        list("b"),
    ));
    assert_eq!(quiz.introduction.as_str(), "<p>Who?</p>");
    let prompts: Vec<&str> = quiz.questions.iter().map(|question| question.prompt.as_str()).collect();
    assert_eq!(
        prompts,
        ["<p><b>T1</b> – Person</p>", "<p><b>T1</b> – Land</p>", "<p>T2 – Person</p><p>End</p>"]
    );
    assert_eq!(key.questions.len(), 3);
}

#[test]
fn text_answers_are_exact_or_in_any_case_or_patterns() {
    let text = |attributes: &str| {
        quiz_of(&format!(
            r#"<problem><stringresponse {attributes}><additional_answer answer="Uykucu"/><textline/></stringresponse></problem>"#
        ))
        .1
    };
    let exact = text(r#"answer="Işık""#);
    assert_eq!([typed(&exact, "Işık"), typed(&exact, "ışık"), typed(&exact, "Uykucu")], [1, 0, 1]);
    let any_case = text(r#"answer="Işık" type="ci""#);
    assert_eq!([typed(&any_case, "IŞIK"), typed(&any_case, "uykucu"), typed(&any_case, "x")], [1, 1, 0]);
    let pattern = text(r#"answer="..bble" type="ci regexp""#);
    assert_eq!([typed(&pattern, "Bubble"), typed(&pattern, "bubbles")], [1, 0]);
    assert!(
        matches!(&pattern.questions[0].rule, Rule::Text { accepted } if matches!(accepted[0], TextRule::Pattern { .. }))
    );
}

#[test]
fn numbers_have_tolerances_ranges_and_half_right_answers() {
    let number = |inside: &str, attributes: &str| {
        quiz_of(&format!("<problem><numericalresponse {attributes}>{inside}<formulaequationinput/></numericalresponse></problem>")).1
    };
    let tolerance = |text: &str| format!(r#"<responseparam type="tolerance" default="{text}"/>"#);
    let key = number(&tolerance("5"), r#"answer="600""#);
    assert_eq!([typed(&key, "605"), typed(&key, "605,1")], [1, 0]);
    let key = number(&tolerance("1%"), r#"answer="200""#);
    assert_eq!([typed(&key, "202"), typed(&key, "203")], [1, 0]);
    let key = number("", r#"answer="12""#);
    assert_eq!(
        key.questions[0].rule,
        Rule::Number {
            accepted: vec![NumberRule::Value { value: 12.0, tolerance: Tolerance::Percent(0.001) }],
            half: Vec::new()
        }
    );
    let key = number("", r#"answer="[5, 10)""#);
    assert_eq!([typed(&key, "5"), typed(&key, "10")], [1, 0]);
    let key = number(r#"<responseparam partial_answers="1"/>"#, r#"answer="2" partial_credit="list""#);
    assert_eq!(answered(&key, Answer::Text("1".to_owned())), Score { points: 1, max: 2 });
    assert_eq!(typed(&key, "2"), 2);
}

#[test]
fn what_cannot_be_scored_is_kept_raw_with_the_reason() {
    for (problem, reason) in [
        ("<problem><p>x</p></problem>", "asks nothing"),
        ("<problem><customresponse cfn='f'/></problem>", "customresponse"),
        (
            "<problem><stringresponse answer='a'><textline/></stringresponse><imageresponse/></problem>",
            "imageresponse",
        ),
        ("<problem><numericalresponse answer='$z'/></problem>", "$z"),
        ("<problem><script>z = f()</script><numericalresponse answer='$z'/></problem>", "script"),
        ("<problem><numericalresponse answer='1,5'/></problem>", "1,5"),
        ("<problem><stringresponse answer='(?=a)' type='regexp'/></problem>", "pattern"),
        (
            "<problem><multiplechoiceresponse><choicegroup><choice correct='false'>a</choice></choicegroup></multiplechoiceresponse></problem>",
            "none of its choices",
        ),
        ("<problem><multiplechoiceresponse/></problem>", "no choices"),
        (
            "<problem><choiceresponse><choice correct='perhaps'>a</choice></choiceresponse></problem>",
            "perhaps",
        ),
        ("<poll xblock-family='xblock.v1'/>", "poll"),
    ] {
        let imported = import(&packed(&course(problem))).unwrap();
        assert!(lessons(&imported).is_empty(), "{problem}");
        match last_block(&imported).0 {
            BlockOutcome::KeptRaw { reason: found } => assert!(found.contains(reason), "{found}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(imported.raw[0].olx, problem);
    }
}

#[test]
fn drawn_numbers_are_the_same_at_every_import_and_in_the_answer() {
    let problem = r#"<problem url_name="p" display_name="d"><script type="loncapa/python">
x = random.randint(0, 20)
z = x + 1
</script><p>x = $x</p><numericalresponse answer="$z"><textline/></numericalresponse></problem>"#;
    let (quiz, key) = quiz_of(problem);
    assert_eq!((quiz.clone(), key.clone()), quiz_of(problem));
    let x: i64 =
        quiz.introduction.as_str().trim_start_matches("<p>x = ").trim_end_matches("</p>").parse().unwrap();
    assert_eq!([typed(&key, &(x + 1).to_string()), typed(&key, &x.to_string())], [1, 0]);
}

#[test]
fn what_a_learner_gets_of_a_quiz_tells_no_answer() {
    let (quiz, _) = quiz_of(
        r#"<problem markdown="(x) SECRET"><script>SECRET</script><div><multiplechoiceresponse><label>Q</label><choicegroup>
            <choice correct="true">A<choicehint>SECRET</choicehint></choice></choicegroup><solution>SECRET</solution></multiplechoiceresponse></div>
            <stringresponse answer="SECRET" type="ci"><additional_answer answer="SECRET"/><correcthint>SECRET</correcthint>
            <stringequalhint answer="x">SECRET</stringequalhint><textline correct_answer="SECRET" label="SECRET"/></stringresponse>
            <numericalresponse answer="1"><responseparam default="SECRET" type="x"/><formulaequationinput/></numericalresponse>
            <solution><p>SECRET</p></solution><demandhint><hint>SECRET</hint></demandhint></problem>"#,
    );
    assert_eq!(quiz.questions.len(), 3);
    let seen = serde_json::to_string(&quiz).unwrap();
    assert!(!seen.contains("SECRET") && !seen.contains("correct"), "{seen}");
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
    fn any_problem_and_html_is_imported_or_kept_or_refused(
        tags in proptest::collection::vec((0..14_usize, "[ a-z$0-9.,'(\\[%]{0,8}"), 0..12),
    ) {
        const TAGS: [&str; 14] = [
            "multiplechoiceresponse", "choiceresponse", "optionresponse", "stringresponse", "numericalresponse",
            "choicegroup", "choice", "optioninput", "table", "td", "tr", "script", "solution", "p",
        ];
        let mut open = String::from("<problem>");
        let mut close = Vec::new();
        for (index, (tag, text)) in tags.iter().enumerate() {
            let name = TAGS[*tag];
            open.push_str(&format!(r#"<{name} answer="{text}" options="{text}" correct="true" type="ci regexp">{text}"#));
            if index % 3 == 0 { open.push_str(&format!("</{name}>")); } else { close.push(name); }
        }
        for name in close.into_iter().rev() {
            open.push_str(&format!("</{name}>"));
        }
        open.push_str("</problem>");
        let imported = import(&packed(&course(&open))).unwrap();
        prop_assert_eq!(imported.report.blocks.len(), 5);
        prop_assert_eq!(lessons(&imported).len() + imported.raw.len(), 1);
    }

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
