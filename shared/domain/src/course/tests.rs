use proptest::prelude::*;
use std::collections::BTreeMap;

use super::completion::{LessonState, completion};
use super::*;
use crate::{ids::AssetId, quiz::Score, time::Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn title(text: &str) -> Title {
    text.parse().unwrap()
}

fn percent(percent: u8) -> Percent {
    percent.try_into().unwrap()
}

/// A course whose lessons have these kinds and requirements.
fn course(lessons: &[(LessonKind, Option<Requirement>)]) -> CourseOutline {
    let lessons = (0..)
        .zip(lessons)
        .map(|(number, (kind, requirement))| LessonOutline {
            id: LessonId::new(NOW, [number; 10]),
            title: title("Ders"),
            kind: *kind,
            duration_seconds: None,
            requirement: *requirement,
        })
        .collect();
    CourseOutline {
        id: CourseId::new(NOW, [0; 10]),
        slug: "iklim".parse().unwrap(),
        title: title("İklim"),
        language: Some("tr".parse().unwrap()),
        minimum_score: None,
        pictures: Default::default(),
        modules: vec![ModuleOutline {
            id: ModuleId::new(NOW, [0; 10]),
            title: title("Birinci bölüm"),
            at_least: None,
            opens: None,
            sections: vec![SectionOutline {
                id: SectionId::new(NOW, [0; 10]),
                title: title("Giriş"),
                lessons,
            }],
        }],
    }
}

#[test]
fn a_turkish_title_becomes_a_slug() {
    for (text, slug) in [
        ("İklim ve Işık: Açık Ders", "iklim-ve-isik-acik-ders"),
        ("IŞIK", "isik"),
        ("  Çağ — 21. yüzyıl! ", "cag-21-yuzyil"),
        ("C++ / Rust", "c-rust"),
    ] {
        assert_eq!(Slug::of(&title(text)).unwrap().as_str(), slug, "{text}");
    }
    assert_eq!(Slug::of(&title("مرحبا")), None);
    let long = Slug::of(&title(&"uzun kelime ".repeat(16))).unwrap();
    assert!(long.as_str().len() <= Slug::MAX && long.as_str().ends_with("-uzun"), "{long}");
}

#[test]
fn a_slug_is_lower_case_words_joined_by_hyphens() {
    for text in ["", "-a", "a-", "a--b", "A", "ş", "a b", "a/b", &"a".repeat(Slug::MAX + 1)] {
        assert!(text.parse::<Slug>().is_err(), "{text}");
    }
    assert!("a-1".parse::<Slug>().is_ok());
}

#[test]
fn a_title_is_one_line_of_bounded_length_in_nfc() {
    assert_eq!(title("  S\u{327}u\u{308}kru\u{308} ").as_str(), "Şükrü");
    assert!("".parse::<Title>().is_err());
    assert!("a\nb".parse::<Title>().is_err());
    assert!("ş".repeat(Title::MAX).parse::<Title>().is_ok());
    assert!("ş".repeat(Title::MAX + 1).parse::<Title>().is_err());
    assert_eq!(Title::clipped(" a\n\tb  c ").unwrap().as_str(), "a b c");
    let clipped = Title::clipped(&"ş".repeat(1_000)).unwrap();
    assert_eq!(clipped.as_str().chars().count(), Title::MAX);
    assert!(clipped.as_str().ends_with('…'));
    assert_eq!(Title::clipped("\u{0} \n"), None);
}

#[test]
fn language_tags_and_youtube_ids_have_their_form() {
    for tag in ["tr", "en", "pt-BR", "zh-Hant-TW"] {
        assert!(tag.parse::<Language>().is_ok(), "{tag}");
    }
    for tag in ["", "t", "turkish", "tr_TR", "tr-", "../x"] {
        assert!(tag.parse::<Language>().is_err(), "{tag}");
    }
    assert!("AOUEsgFrYeg".parse::<YoutubeId>().is_ok());
    for id in ["", "AOUEsgFrYe", "AOUEsgFrYegg", "AOUEsgFrY\"g", "AOUEsgFrY/g"] {
        assert!(id.parse::<YoutubeId>().is_err(), "{id}");
    }
}

/// Everything that the outline's schema and the schemas it refers to have as a property.
fn properties<T: utoipa::ToSchema>() -> Vec<String> {
    fn collect(value: &serde_json::Value, into: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                if let Some(serde_json::Value::Object(properties)) = fields.get("properties") {
                    into.extend(properties.keys().cloned());
                }
                fields.values().for_each(|value| collect(value, into));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|value| collect(value, into)),
            _ => {}
        }
    }
    let mut schemas = vec![(String::new(), T::schema())];
    T::schemas(&mut schemas);
    let mut names = Vec::new();
    for (_, schema) in schemas {
        collect(&serde_json::to_value(schema).unwrap(), &mut names);
    }
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_outline_has_no_place_for_a_body_or_a_key() {
    assert_eq!(
        properties::<CourseOutline>(),
        [
            "after",
            "asset",
            "at_least",
            "banner",
            "bytes",
            "card",
            "content_type",
            "days",
            "duration_seconds",
            "from",
            "gallery",
            "height",
            "id",
            "kind",
            "language",
            "lessons",
            "minimum_score",
            "modules",
            "opens",
            "percent",
            "pictures",
            "requirement",
            "rule",
            "seconds",
            "sections",
            "slug",
            "title",
            "url",
            "video",
            "width"
        ]
    );
    let body = properties::<LessonBody>();
    assert!(body.contains(&"choices".to_owned()) && body.contains(&"html".to_owned()), "{body:?}");
    for secret in ["correct", "accepted", "half", "explanation"] {
        assert!(!body.contains(&secret.to_owned()), "{secret} in {body:?}");
    }
}

#[test]
fn content_survives_json_and_unknown_fields_are_refused() {
    let course = course(&[(LessonKind::Video, Some(Requirement::usual(LessonKind::Video)))]);
    let json = serde_json::to_value(&course).unwrap();
    assert_eq!(json["modules"][0]["sections"][0]["lessons"][0]["requirement"]["percent"], 90);
    assert_eq!(serde_json::from_value::<CourseOutline>(json.clone()).unwrap(), course);
    let mut with_body = json;
    with_body["modules"][0]["sections"][0]["lessons"][0]["html"] = "x".into();
    assert!(serde_json::from_value::<CourseOutline>(with_body).is_err());

    for body in [
        LessonBody::Video {
            source: VideoSource::Youtube { id: "AOUEsgFrYeg".parse().unwrap() },
            start_seconds: Some(699),
            end_seconds: None,
            delivery_bound: false,
            subtitles: vec![Subtitles { language: "tr".parse().unwrap(), asset: AssetId::new(NOW, [1; 10]) }],
        },
        LessonBody::Html { html: Html::sanitised("<p>Işık</p>".to_owned()) },
    ] {
        let json = serde_json::to_string(&body).unwrap();
        assert_eq!(serde_json::from_str::<LessonBody>(&json).unwrap(), body, "{json}");
    }
    assert!(serde_json::from_str::<LessonBody>(r#"{"kind":"html","html":"","key":1}"#).is_err());
    assert!(serde_json::from_str::<Requirement>(r#"{"rule":"coverage","percent":0}"#).is_err());
    assert!(serde_json::from_str::<Requirement>(r#"{"rule":"coverage","percent":101}"#).is_err());
}

#[test]
fn a_requirement_fits_its_kind_of_lesson() {
    for kind in LessonKind::ALL {
        assert!(Requirement::usual(kind).fits(kind), "{kind:?}");
        assert!(Requirement::Opened.fits(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        for (of_staff, own) in
            [(Requirement::Attended, LessonKind::Live), (Requirement::Accepted, LessonKind::Assignment)]
        {
            assert_eq!(of_staff.fits(kind), kind == own, "{of_staff:?} of {kind:?}");
        }
    }
    let read = Requirement::OpenedFor { seconds: 60.try_into().unwrap() };
    assert!(read.fits(LessonKind::Html) && read.fits(LessonKind::Document));
    assert!(!read.fits(LessonKind::Video) && !read.fits(LessonKind::Quiz));
    assert!(!Requirement::usual(LessonKind::Video).fits(LessonKind::Quiz));
    assert!(!Requirement::usual(LessonKind::Quiz).fits(LessonKind::Document));
}

#[test]
fn a_course_completes_with_its_last_required_lesson() {
    let course = course(&[
        (LessonKind::Video, Some(Requirement::Coverage { percent: percent(90) })),
        (LessonKind::Html, None),
        (LessonKind::Document, Some(Requirement::Opened)),
        (LessonKind::Quiz, Some(Requirement::Score { percent: percent(60) })),
    ]);
    let ids: Vec<LessonId> = course.lessons().map(|lesson| lesson.id).collect();
    let mut states = BTreeMap::new();
    let mut now = |id: LessonId, state: LessonState| {
        states.insert(id, state);
        let completion = completion(&course, &|lesson| states.get(&lesson.id).copied().unwrap_or_default());
        (completion.complete, completion.percent)
    };
    let watched = |covered_seconds| LessonState { covered_seconds, length_seconds: 10, ..Default::default() };
    let answered = |points| LessonState {
        best_score: Some(Score { points, max: 5 }),
        opened: true,
        ..Default::default()
    };
    assert_eq!(now(ids[1], LessonState { opened: true, ..Default::default() }), (false, 0));
    assert_eq!(now(ids[0], watched(8)), (false, 0));
    assert_eq!(now(ids[0], watched(9)), (false, 33));
    assert_eq!(now(ids[2], LessonState { opened: true, ..Default::default() }), (false, 66));
    assert_eq!(now(ids[3], answered(2)), (false, 66));
    assert_eq!(now(ids[3], answered(3)), (true, 100));
}

#[test]
fn what_staff_has_to_say_is_fulfilled_by_nothing_else() {
    let course = course(&[
        (LessonKind::Live, Some(Requirement::usual(LessonKind::Live))),
        (LessonKind::Assignment, Some(Requirement::usual(LessonKind::Assignment))),
    ]);
    let first = course.lessons().next().unwrap().id;
    let all_else = LessonState {
        opened: true,
        covered_seconds: 9,
        length_seconds: 9,
        best_score: Some(Score { points: 1, max: 1 }),
        marked: false,
    };
    let marked = LessonState { marked: true, ..Default::default() };
    assert_eq!(completion(&course, &|_| all_else).fulfilled_lessons, 0);
    let half = completion(&course, &|lesson| if lesson.id == first { marked } else { all_else });
    assert_eq!((half.percent, half.complete), (50, false));
    assert!(completion(&course, &|_| marked).complete);
}

#[test]
fn a_video_of_unknown_length_and_a_course_without_requirements_complete_nothing() {
    let state = LessonState {
        opened: true,
        covered_seconds: 0,
        length_seconds: 0,
        best_score: Some(Score::default()),
        marked: false,
    };
    for (kind, requirement) in [
        (LessonKind::Video, Some(Requirement::usual(LessonKind::Video))),
        (LessonKind::Quiz, Some(Requirement::usual(LessonKind::Quiz))),
        (LessonKind::Html, None),
    ] {
        let completion = completion(&course(&[(kind, requirement)]), &|_| state);
        assert!(!completion.complete && completion.percent == 0, "{kind:?}");
    }
}

fn any_state() -> impl Strategy<Value = LessonState> {
    let score = proptest::option::of((0..20_u32, 0..20_u32));
    (any::<bool>(), 0..200_u32, 0..200_u32, score, any::<bool>()).prop_map(
        |(opened, covered_seconds, length_seconds, score, marked)| LessonState {
            opened,
            covered_seconds,
            length_seconds,
            best_score: score.map(|(points, max)| Score { points, max }),
            marked,
        },
    )
}

fn any_lesson() -> impl Strategy<Value = (LessonKind, Option<Requirement>)> {
    let requirement = prop_oneof![
        Just(Requirement::Opened),
        (1..=100_u8).prop_map(|share| Requirement::Coverage { percent: percent(share) }),
        (1..=100_u8).prop_map(|share| Requirement::Score { percent: percent(share) }),
        Just(Requirement::Attended),
        Just(Requirement::Accepted),
    ];
    (Just(LessonKind::Html), proptest::option::of(requirement))
}

proptest! {
    #[test]
    fn every_slug_of_a_title_is_a_slug(text in "\\PC{1,120}") {
        if let Some(title) = Title::clipped(&text)
            && let Some(slug) = Slug::of(&title)
        {
            prop_assert_eq!(slug.as_str().parse::<Slug>().unwrap(), slug);
        }
    }

    #[test]
    fn clipping_gives_a_title_that_stays_as_it_is(text in "(?s).{0,400}") {
        if let Some(title) = Title::clipped(&text) {
            prop_assert_eq!(title.as_str().parse::<Title>().unwrap(), title.clone());
            prop_assert_eq!(Title::clipped(title.as_str()).unwrap(), title);
        }
    }

    #[test]
    fn complete_is_a_hundred_percent_and_more_progress_never_completes_less(
        lessons in proptest::collection::vec((any_lesson(), any_state(), 0..200_u32), 0..12),
    ) {
        let kinds: Vec<_> = lessons.iter().map(|(lesson, ..)| *lesson).collect();
        let course = course(&kinds);
        let states: BTreeMap<_, _> = course.lessons().map(|lesson| lesson.id).zip(lessons).collect();
        let before = completion(&course, &|lesson| states[&lesson.id].1);
        prop_assert_eq!(before.complete, before.percent == 100);
        prop_assert!(before.fulfilled_lessons <= before.required_lessons);
        let after = completion(&course, &|lesson| {
            let (_, state, more) = states[&lesson.id];
            LessonState { opened: true, covered_seconds: state.covered_seconds + more, ..state }
        });
        prop_assert!(after.percent >= before.percent);
        prop_assert!(after.complete || !before.complete);
    }
}
