use proptest::prelude::*;
use std::collections::BTreeSet;

use super::*;

fn question(id: &str) -> QuestionId {
    id.to_owned().try_into().unwrap()
}

fn choices(ids: &[&str]) -> BTreeSet<ChoiceId> {
    ids.iter().map(|id| ChoiceId::try_from((*id).to_owned()).unwrap()).collect()
}

fn key(rule: Rule) -> AnswerKey {
    AnswerKey {
        questions: vec![QuestionKey { question: question("q1"), points: 2, rule }],
        explanation: Html::default(),
    }
}

fn submission(answer: Answer) -> Submission {
    Submission { answers: vec![SubmittedAnswer { question: question("q1"), answer }] }
}

fn points(rule: &Rule, answer: Answer) -> u32 {
    score(&key(rule.clone()), &submission(answer)).unwrap().score.points
}

fn typed(rule: &Rule, text: &str) -> u32 {
    points(rule, Answer::Text(text.to_owned()))
}

fn text_rule(rule: TextRule) -> Rule {
    Rule::Text { accepted: vec![rule] }
}

fn number(rule: NumberRule) -> Rule {
    Rule::Number { accepted: vec![rule], half: Vec::new() }
}

#[test]
fn one_choice_must_be_a_correct_one() {
    let rule = Rule::OneOf { correct: choices(&["b", "c"]) };
    for (chosen, reached) in
        [(vec!["b"], 2), (vec!["c"], 2), (vec!["a"], 0), (vec!["b", "c"], 0), (vec![], 0)]
    {
        assert_eq!(points(&rule, Answer::Choices(choices(&chosen))), reached, "{chosen:?}");
    }
}

#[test]
fn several_choices_must_be_all_the_correct_ones_and_no_other() {
    let rule = Rule::AllOf { correct: choices(&["a", "c"]) };
    for (chosen, reached) in
        [(vec!["c", "a"], 2), (vec!["a"], 0), (vec!["a", "b", "c"], 0), (vec!["zzz"], 0), (vec![], 0)]
    {
        assert_eq!(points(&rule, Answer::Choices(choices(&chosen))), reached, "{chosen:?}");
    }
}

#[test]
fn text_in_any_case_pairs_the_turkish_letters_and_keeps_other_diacritics_apart() {
    let rule = text_rule(TextRule::AnyCase { text: "Işık İzi".to_owned() });
    for text in ["ışık izi", "IŞIK İZİ", " işık \t IZI "] {
        assert_eq!(typed(&rule, text), 2, "{text}");
    }
    assert_eq!(typed(&rule, "ışıkizi"), 0);
    assert_eq!(typed(&rule, "is\u{327}ik I\u{307}zi"), 2, "decomposed");
    assert_eq!(typed(&text_rule(TextRule::AnyCase { text: "öl".to_owned() }), "ol"), 0);
    assert_eq!(typed(&text_rule(TextRule::AnyCase { text: "DİYARBAKIR".to_owned() }), "Diyarbakır"), 2);
}

#[test]
fn exact_text_counts_every_letter_and_any_of_several_answers_will_do() {
    let rule = Rule::Text {
        accepted: vec![
            TextRule::Exact { text: "Doc".to_owned() },
            TextRule::Exact { text: "Şükrü".to_owned() },
        ],
    };
    for (text, reached) in
        [("Doc", 2), (" Doc\n", 2), ("doc", 0), ("S\u{327}u\u{308}kru\u{308}", 2), ("D oc", 0), ("", 0)]
    {
        assert_eq!(typed(&rule, text), reached, "{text:?}");
    }
}

#[test]
fn a_pattern_matches_the_whole_answer() {
    let pattern = |text: &str| Pattern::try_from(text.to_owned());
    let rule = text_rule(TextRule::Pattern { pattern: pattern("..bble").unwrap(), any_case: true });
    for (text, reached) in [("bubble", 2), ("BUBBLE ", 2), ("bubbles", 0), ("abubble", 0)] {
        assert_eq!(typed(&rule, text), reached, "{text}");
    }
    let either = text_rule(TextRule::Pattern { pattern: pattern("cat|dog").unwrap(), any_case: false });
    assert_eq!(typed(&either, "dog"), 2);
    assert_eq!(typed(&either, "hotdog"), 0);
    for refused in
        [r"(a)\1", "(?=a)a", "a)|(b", "(", "((((a{50}){50}){50}){50})", &"a".repeat(Pattern::MAX + 1)]
    {
        assert!(pattern(refused).is_err(), "{refused}");
    }
    let backtracking = text_rule(TextRule::Pattern { pattern: pattern("(a+)+b").unwrap(), any_case: false });
    assert_eq!(typed(&backtracking, &"a".repeat(2_000)), 0, "and at once: the suite would hang here");
}

#[test]
fn a_number_is_taken_within_its_tolerance() {
    let value = |value, tolerance| number(NumberRule::Value { value, tolerance });
    let absolute = value(600.0, Tolerance::Absolute(5.0));
    for (text, reached) in [("600", 2), ("595", 2), ("605,0", 2), ("6e2", 2), ("605.001", 0), ("594.9", 0)] {
        assert_eq!(typed(&absolute, text), reached, "{text}");
    }
    let percent = value(-200.0, Tolerance::Percent(1.0));
    for (text, reached) in [("-202", 2), ("\u{2212}198", 2), ("-202.1", 0), ("200", 0)] {
        assert_eq!(typed(&percent, text), reached, "{text}");
    }
    assert_eq!(typed(&value(0.3, Tolerance::Absolute(0.1)), "0.4"), 2, "no lost bits");
}

#[test]
fn a_number_range_includes_the_ends_it_does_not_leave_out() {
    let range = number(NumberRule::Range { from: 5.0, to: 10.0, without_from: false, without_to: true });
    for (text, reached) in [("5", 2), ("9.99", 2), ("10", 0), ("4.99", 0)] {
        assert_eq!(typed(&range, text), reached, "{text}");
    }
}

#[test]
fn a_half_right_number_earns_half_the_points() {
    let exactly = |value| NumberRule::Value { value, tolerance: Tolerance::Absolute(0.0) };
    let rule = Rule::Number { accepted: vec![exactly(2.0)], half: vec![exactly(1.0)] };
    assert_eq!([typed(&rule, "2"), typed(&rule, "1"), typed(&rule, "3")], [2, 1, 0]);
}

#[test]
fn what_is_no_number_earns_nothing() {
    let anything =
        number(NumberRule::Range { from: f64::MIN, to: f64::MAX, without_from: false, without_to: false });
    for text in ["", "x", "nan", "inf", "-infinity", "1e999", "1.234,5", "1 2", "0x10", "٣", &"1".repeat(65)]
    {
        assert_eq!(typed(&anything, text), 0, "{text}");
    }
}

#[test]
fn a_submission_for_another_quiz_is_refused() {
    let key = key(Rule::OneOf { correct: choices(&["a"]) });
    let right = SubmittedAnswer { question: question("q1"), answer: Answer::Choices(choices(&["a"])) };
    let stray = SubmittedAnswer { question: question("q9"), ..right.clone() };
    let text = SubmittedAnswer { answer: Answer::Text("a".to_owned()), ..right.clone() };
    let of = |answers: Vec<SubmittedAnswer>| score(&key, &Submission { answers });
    assert_eq!(of(vec![right.clone(), stray]), Err(InvalidSubmission::UnknownQuestion("q9".to_owned())));
    assert_eq!(of(vec![right.clone(), right]), Err(InvalidSubmission::AnsweredTwice("q1".to_owned())));
    assert_eq!(of(vec![text]), Err(InvalidSubmission::WrongForm("q1".to_owned())));
    assert_eq!(of(Vec::new()).unwrap().score, Score { points: 0, max: 2 });
}

#[test]
fn a_submission_is_read_from_plain_json_and_unknown_fields_are_refused() {
    let json = r#"{"answers":[{"question":"q1","answer":{"choices":["a"]}},{"question":"q2","answer":{"text":"5"}}]}"#;
    assert_eq!(serde_json::from_str::<Submission>(json).unwrap().answers.len(), 2);
    for refused in [
        r#"{"answers":[],"score":1}"#,
        r#"{"answers":[{"question":"q1","answer":{"choices":["a"]},"correct":true}]}"#,
        r#"{"answers":[{"question":"Q 1","answer":{"text":"a"}}]}"#,
        r#"{"answers":[{"question":"q1","answer":{"text":1}}]}"#,
    ] {
        assert!(serde_json::from_str::<Submission>(refused).is_err(), "{refused}");
    }
}

#[test]
fn a_key_survives_json() {
    let key = key(Rule::Number {
        accepted: vec![NumberRule::Value { value: 0.1, tolerance: Tolerance::Percent(0.01) }],
        half: vec![NumberRule::Range { from: 0.0, to: 1.0, without_from: true, without_to: false }],
    });
    let json = serde_json::to_string(&key).unwrap();
    assert_eq!(serde_json::from_str::<AnswerKey>(&json).unwrap(), key, "{json}");
    assert!(serde_json::from_str::<Pattern>("\"(\"").is_err());
}

#[test]
fn a_share_of_the_points_is_compared_without_rounding() {
    let percent = |share: u8| Percent::try_from(share).unwrap();
    assert!(!Score { points: 2, max: 3 }.reaches(percent(67)));
    assert!(Score { points: 2, max: 3 }.reaches(percent(66)));
    assert_eq!(Score { points: 2, max: 3 }.percent(), 66);
    assert!(!Score::default().reaches(percent(1)));
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let ids = || {
        proptest::collection::btree_set("[a-d]", 0..4).prop_map(|ids| {
            ids.into_iter().map(|id| ChoiceId::try_from(id).unwrap()).collect::<BTreeSet<_>>()
        })
    };
    let text = prop_oneof![
        "\\PC{0,8}".prop_map(|text| TextRule::Exact { text }),
        "\\PC{0,8}".prop_map(|text| TextRule::AnyCase { text }),
        "[a-c.*+?]{1,6}".prop_filter_map("a pattern", |text| {
            Some(TextRule::Pattern { pattern: Pattern::try_from(text).ok()?, any_case: true })
        }),
    ];
    let number = prop_oneof![
        (any::<f64>(), any::<f64>())
            .prop_map(|(value, by)| NumberRule::Value { value, tolerance: Tolerance::Absolute(by) }),
        (any::<f64>(), any::<f64>(), any::<bool>(), any::<bool>()).prop_map(
            |(from, to, without_from, without_to)| NumberRule::Range { from, to, without_from, without_to }
        ),
    ];
    prop_oneof![
        ids().prop_map(|correct| Rule::OneOf { correct }),
        ids().prop_map(|correct| Rule::AllOf { correct }),
        proptest::collection::vec(text, 0..3).prop_map(|accepted| Rule::Text { accepted }),
        (proptest::collection::vec(number.clone(), 0..3), proptest::collection::vec(number, 0..3))
            .prop_map(|(accepted, half)| Rule::Number { accepted, half }),
    ]
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        proptest::collection::btree_set("[a-e]", 0..4).prop_map(|ids| Answer::Choices(
            ids.into_iter().map(|id| ChoiceId::try_from(id).unwrap()).collect()
        )),
        "(?s).{0,30}".prop_map(Answer::Text),
        any::<f64>().prop_map(|number| Answer::Text(number.to_string())),
    ]
}

proptest! {
    #[test]
    fn scoring_is_total_and_never_gives_more_than_there_is(
        questions in proptest::collection::vec((any_rule(), any::<u16>(), proptest::option::of(any_answer())), 0..6),
    ) {
        let id = |index: usize| question(&format!("q{index}"));
        let key = AnswerKey {
            questions: questions.iter().enumerate()
                .map(|(index, (rule, points, _))| QuestionKey { question: id(index), points: *points, rule: rule.clone() })
                .collect(),
            explanation: Html::default(),
        };
        let mut answers: Vec<SubmittedAnswer> = questions.into_iter().enumerate()
            .filter_map(|(index, (_, _, answer))| Some(SubmittedAnswer { question: id(index), answer: answer? }))
            .collect();
        let scored = score(&key, &Submission { answers: answers.clone() });
        answers.reverse();
        prop_assert_eq!(&scored, &score(&key, &Submission { answers }), "the order of the answers is no matter");
        if let Ok(Scored { score, questions }) = scored {
            prop_assert!(score.points <= score.max);
            prop_assert_eq!(score.points, questions.iter().map(|question| question.score.points).sum::<u32>());
            prop_assert!(questions.iter().all(|question| question.score.points <= question.score.max));
        }
    }

    #[test]
    fn the_right_answer_in_any_case_and_spacing_earns_all_points(words in proptest::collection::vec("[a-zA-ZçÇğĞıIiİöÖşŞüÜ]{1,8}", 1..4)) {
        let rule = text_rule(TextRule::AnyCase { text: words.join(" ") });
        prop_assert_eq!(typed(&rule, &words.join("  ").to_lowercase()), 2);
        prop_assert_eq!(typed(&rule, &format!(" {}\t", words.join("\u{a0} ").to_uppercase())), 2);
    }

    #[test]
    fn a_number_is_accepted_in_every_way_it_is_written(number in -1e9..1e9_f64) {
        let rule = self::number(NumberRule::Value { value: number, tolerance: Tolerance::Absolute(0.0) });
        prop_assert_eq!(typed(&rule, &number.to_string()), 2);
        prop_assert_eq!(typed(&rule, &number.to_string().replace('.', ",")), 2);
        prop_assert_eq!(typed(&rule, &format!("{number:e}")), 2);
    }
}
