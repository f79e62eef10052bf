//! The problems of the Open edX demo course.

use akademi_domain::quiz::{
    Answer, AnswerForm, AnswerKey, NumberRule, Rule, Score, Submission, SubmittedAnswer, TextRule, score,
};
use akademi_olx::{BlockOutcome, Content};
use std::collections::BTreeSet;

use crate::{
    archives::lessons,
    real_course::{COURSE, lesson},
};

/// Answers that are right by the key; patterns have no answer to read off.
fn right_answers(key: &AnswerKey) -> Submission {
    let answers = key.questions.iter().map(|question| {
        let answer = match &question.rule {
            Rule::OneOf { correct } => Answer::Choices(correct.iter().take(1).cloned().collect()),
            Rule::AllOf { correct } => Answer::Choices(correct.clone()),
            Rule::Text { accepted } => Answer::Text(match &accepted[0] {
                TextRule::Exact { text } | TextRule::AnyCase { text } => text.clone(),
                TextRule::Pattern { .. } => "hubble".to_owned(),
            }),
            Rule::Number { accepted, .. } => Answer::Text(match accepted[0] {
                NumberRule::Value { value, .. } => value.to_string(),
                NumberRule::Range { from, to, .. } => ((from + to) / 2.0).to_string(),
            }),
        };
        SubmittedAnswer { question: question.question.clone(), answer }
    });
    Submission { answers: answers.collect() }
}

#[test]
fn all_21_quizzes_score() {
    let mut quizzes = 0;
    let mut questions = 0;
    for lesson in lessons(&COURSE) {
        let Content::Quiz { quiz, key } = &lesson.content else { continue };
        quizzes += 1;
        questions += quiz.questions.len();
        let ids: Vec<_> = quiz.questions.iter().map(|question| &question.id).collect();
        assert_eq!(ids, key.questions.iter().map(|question| &question.question).collect::<Vec<_>>());
        let full = score(key, &right_answers(key)).unwrap().score;
        assert_eq!(full.points, full.max, "{}", lesson.source_key);
        assert!(full.max > 0);
        let none = score(key, &Submission { answers: Vec::new() }).unwrap().score;
        assert_eq!(none, Score { points: 0, max: full.max });
        for question in &quiz.questions {
            let something = !quiz.introduction.is_empty() || !question.prompt.is_empty();
            assert!(something, "{} asks nothing", lesson.source_key);
            if let AnswerForm::SingleChoice { choices }
            | AnswerForm::MultipleChoice { choices }
            | AnswerForm::DropDown { choices } = &question.form
            {
                assert!(choices.len() >= 2 && choices.iter().all(|choice| !choice.label.is_empty()));
            }
        }
    }
    assert_eq!((quizzes, questions), (21, 28));
    println!("{quizzes} quizzes with {questions} questions");
}

#[test]
fn quizzes_take_the_answers_that_people_know_to_be_right() {
    let choose = |source_key: &str, labels: &[&str]| {
        let Content::Quiz { quiz, key } = &lesson(source_key).content else { panic!() };
        let question = &quiz.questions[0];
        let (AnswerForm::SingleChoice { choices }
        | AnswerForm::MultipleChoice { choices }
        | AnswerForm::DropDown { choices }) = &question.form
        else {
            panic!()
        };
        let chosen = choices
            .iter()
            .filter(|choice| labels.contains(&choice.label.as_str()))
            .map(|choice| choice.id.clone())
            .collect();
        let answer = SubmittedAnswer { question: question.id.clone(), answer: Answer::Choices(chosen) };
        score(key, &Submission { answers: vec![answer] }).unwrap().score.points
    };
    assert_eq!(choose("problem/c89f56c74a3a424dbffb665d4643b42f", &["Canberra"]), 1);
    assert_eq!(choose("problem/c89f56c74a3a424dbffb665d4643b42f", &["Sydney"]), 0);
    assert_eq!(choose("problem/b1ddf9b3553941cfa55b3cc8a56ab1a0", &["Monarch butterfly", "Arctic tern"]), 1);
    assert_eq!(choose("problem/b1ddf9b3553941cfa55b3cc8a56ab1a0", &["Arctic tern"]), 0);
    assert_eq!(choose("problem/870b16e640d541af94a308caac834d2e", &["Lion"]), 1);
    let write = |source_key: &str, text: &str| {
        let Content::Quiz { key, .. } = &lesson(source_key).content else { panic!() };
        let answer = SubmittedAnswer {
            question: key.questions[0].question.clone(),
            answer: Answer::Text(text.to_owned()),
        };
        score(key, &Submission { answers: vec![answer] }).unwrap().score
    };
    assert_eq!(write("problem/3e5a945f54374fc7ababadc080660f2d", "sneezy").points, 1);
    assert_eq!(write("problem/3b8100660f3947c198e0a9b35f7c6cf6", "604").points, 1);
    assert_eq!(write("problem/3b8100660f3947c198e0a9b35f7c6cf6", "606").points, 0);
    assert_eq!(write("problem/9f898b5307d841fcb03f5ee4eb206a9a", "1"), Score { points: 1, max: 2 });
    assert_eq!(write("problem/7071a317a0744a37924ef5dea17d47e1", "   ").points, 0);
    let Content::Quiz { quiz, .. } = &lesson("problem/85f3f7f9b72548af880975112f27817c").content else {
        panic!()
    };
    assert_eq!(
        quiz.questions[0].prompt.as_str(),
        "<p><b>Theory of Relativity</b> – Scientist Credited with Discovery</p>"
    );
}

#[test]
fn problems_kept_raw_say_which_kind_of_answer_is_missing() {
    let kept: BTreeSet<String> = COURSE
        .report
        .blocks
        .iter()
        .filter(|block| block.kind == "problem")
        .filter_map(|block| match &block.outcome {
            BlockOutcome::KeptRaw { reason } => {
                reason.split_whitespace().find(|word| word.ends_with("response")).map(str::to_owned)
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        kept.iter().map(String::as_str).collect::<Vec<_>>(),
        ["annotationresponse", "customresponse", "formularesponse", "imageresponse", "schematicresponse"]
    );
}
