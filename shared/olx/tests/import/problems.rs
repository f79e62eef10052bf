//! How problems become quizzes and how those score.

use akademi_domain::quiz::{
    Answer, AnswerForm, AnswerKey, ChoiceId, NumberRule, QuestionId, Quiz, Rule, Score, Submission,
    SubmittedAnswer, TextRule, Tolerance, score,
};
use akademi_olx::{BlockOutcome, Content};
use proptest::prelude::*;

use crate::archives::{course, import, imported, last_block, lessons, only_lesson, packed};

fn quiz_of(problem: &str) -> (Quiz, AnswerKey) {
    match only_lesson(&imported(problem, &[])).content {
        Content::Quiz { quiz, key } => (quiz, key),
        other => panic!("{other:?}"),
    }
}

fn answered(key: &AnswerKey, answer: Answer) -> Score {
    let question: QuestionId = key.questions[0].question.clone();
    score(key, &Submission { answers: vec![SubmittedAnswer { question, answer }] }).unwrap().score
}

fn typed(key: &AnswerKey, text: &str) -> u32 {
    answered(key, Answer::Text(text.to_owned())).points
}

#[test]
fn choices_are_scored_by_what_the_problem_says_is_right() {
    let (quiz, key) = quiz_of(
        r#"<problem><p>Bir</p><multiplechoiceresponse><label>Soru<clarification>not</clarification>?</label><choicegroup>
            <choice correct="false">A <choicehint>no</choicehint></choice><choice correct="TRUE"><b>B</b></choice>
            </choicegroup><solution><p>Çünkü</p></solution></multiplechoiceresponse><demandhint><hint>think</hint></demandhint></problem>"#,
    );
    assert_eq!(quiz.introduction.as_str(), "<p>Bir</p>");
    assert_eq!(quiz.questions[0].prompt.as_str(), "<p>Soru (not)?</p>");
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
}
