use proptest::prelude::*;
use std::collections::BTreeMap;

use super::*;
use crate::{
    course::SectionOutline,
    ids::{CourseId, LessonId, ModuleId, SectionId},
    time::Timestamp,
};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// A required lesson that is done by opening it, a required quiz, or a lesson that nobody has to see.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lesson {
    Text,
    Quiz,
    Extra,
}

fn percent(percent: u8) -> Percent {
    percent.try_into().unwrap()
}

fn lesson_id(module: usize, lesson: usize) -> LessonId {
    LessonId::new(NOW, [module as u8, lesson as u8, 0, 0, 0, 0, 0, 0, 0, 0])
}

fn outline(kind: Lesson, id: LessonId) -> LessonOutline {
    let (kind, requirement) = match kind {
        Lesson::Text => (LessonKind::Html, Some(Requirement::Opened)),
        Lesson::Quiz => (LessonKind::Quiz, Some(Requirement::Score { percent: percent(1) })),
        Lesson::Extra => (LessonKind::Html, None),
    };
    LessonOutline { id, title: "Ders".parse().unwrap(), kind, duration_seconds: None, requirement }
}

/// Modules with their lessons, and how many of these are enough.
fn course(minimum_score: Option<u8>, modules: &[(Option<u32>, Vec<Lesson>)]) -> CourseOutline {
    let modules = modules.iter().enumerate().map(|(number, (at_least, lessons))| {
        let lessons = lessons.iter().enumerate();
        let lessons = lessons.map(|(lesson, kind)| outline(*kind, lesson_id(number, lesson))).collect();
        ModuleOutline {
            id: ModuleId::new(NOW, [number as u8; 10]),
            title: "Bölüm".parse().unwrap(),
            at_least: *at_least,
            opens: None,
            sections: vec![SectionOutline {
                id: SectionId::new(NOW, [0; 10]),
                title: "Giriş".parse().unwrap(),
                lessons,
            }],
        }
    });
    CourseOutline {
        id: CourseId::new(NOW, [0; 10]),
        slug: "isik".parse().unwrap(),
        title: "Işık".parse().unwrap(),
        language: None,
        minimum_score: minimum_score.map(percent),
        pictures: Default::default(),
        modules: modules.collect(),
    }
}

fn opened() -> LessonState {
    LessonState { opened: true, ..LessonState::default() }
}

fn answered(points: u32, max: u32) -> LessonState {
    LessonState { best_score: Some(Score { points, max }), ..opened() }
}

fn of(course: &CourseOutline, states: &BTreeMap<LessonId, LessonState>) -> Completion {
    completion(course, &|lesson| states.get(&lesson.id).copied().unwrap_or_default())
}

#[test]
fn some_lessons_of_a_module_are_enough_where_its_author_says_so() {
    let course = course(None, &[(Some(2), vec![Lesson::Text; 4]), (None, vec![Lesson::Text])]);
    let mut states = BTreeMap::new();
    let mut open = |module, lesson| {
        states.insert(lesson_id(module, lesson), opened());
        let Completion { complete, percent, fulfilled_lessons, required_lessons } = of(&course, &states);
        assert_eq!(required_lessons, 3);
        (complete, percent, fulfilled_lessons)
    };
    assert_eq!(open(0, 3), (false, 33, 1));
    assert_eq!(open(0, 1), (false, 66, 2));
    assert_eq!(open(0, 0), (false, 66, 2), "a third one stands for no other module");
    assert_eq!(open(1, 0), (true, 100, 3));
}

#[test]
fn a_course_waits_for_the_mean_of_all_its_quizzes() {
    let course = course(Some(50), &[(None, vec![Lesson::Quiz, Lesson::Quiz, Lesson::Text])]);
    let mut states = BTreeMap::from([(lesson_id(0, 2), opened()), (lesson_id(0, 0), answered(1, 3))]);
    assert_eq!(of(&course, &states).percent, 66, "one is not answered");
    states.insert(lesson_id(0, 1), answered(3, 5));
    let without_score = of(&course, &states);
    assert_eq!(
        (without_score.complete, without_score.percent),
        (false, 99),
        "the mean of 1/3 and 3/5 is below half"
    );
    states.insert(lesson_id(0, 1), answered(2, 3));
    assert!(of(&course, &states).complete, "the mean of 1/3 and 2/3 is half");
}

#[test]
fn a_text_is_done_once_it_was_opened_and_read_for_its_time() {
    let minute = Requirement::OpenedFor { seconds: 60.try_into().unwrap() };
    let read = |opened, covered_seconds| LessonState { opened, covered_seconds, ..LessonState::default() };
    assert!(!minute.is_fulfilled_by(read(true, 59)) && !minute.is_fulfilled_by(read(false, 60)));
    assert!(minute.is_fulfilled_by(read(true, 60)));
    let json = serde_json::to_string(&minute).unwrap();
    assert_eq!(json, r#"{"rule":"opened_for","seconds":60}"#);
    assert_eq!(serde_json::from_str::<Requirement>(&json).unwrap(), minute);
    for seconds in ["0", "43201", "-1", "1.5"] {
        let wrong = json.replace("60", seconds);
        assert!(serde_json::from_str::<Requirement>(&wrong).is_err(), "{wrong}");
    }
}

fn any_state() -> impl Strategy<Value = LessonState> {
    (any::<bool>(), prop::option::of((0..=12_u32, prop::sample::select(vec![0_u32, 1, 2, 3, 4, 6, 12]))))
        .prop_map(|(is_opened, score)| LessonState {
            opened: is_opened,
            best_score: score.map(|(points, max)| Score { points: points.min(max), max }),
            ..LessonState::default()
        })
}

type AnyCourse = (CourseOutline, BTreeMap<LessonId, LessonState>);

fn any_course() -> impl Strategy<Value = AnyCourse> {
    let lesson = prop_oneof![Just(Lesson::Text), Just(Lesson::Quiz), Just(Lesson::Extra)];
    let lessons = prop::collection::vec((lesson, any_state()), 0..5);
    let modules = prop::collection::vec((prop::option::of(1..6_u32), lessons), 0..4);
    (prop::option::of(1..=100_u8), modules).prop_map(|(minimum_score, modules)| {
        let mut states = BTreeMap::new();
        let kinds: Vec<_> = modules
            .iter()
            .enumerate()
            .map(|(module, (at_least, lessons))| {
                let stands = lessons.iter().enumerate();
                states.extend(stands.map(|(lesson, (_, state))| (lesson_id(module, lesson), *state)));
                (*at_least, lessons.iter().map(|(kind, _)| *kind).collect())
            })
            .collect();
        (course(minimum_score, &kinds), states)
    })
}

/// The rules in plain words, in twelfths: every maximum divides them.
fn is_complete(course: &CourseOutline, states: &BTreeMap<LessonId, LessonState>) -> bool {
    let required = |module: &ModuleOutline| {
        let lessons = module.lessons().filter(|lesson| lesson.requirement.is_some());
        lessons.cloned().collect::<Vec<_>>()
    };
    let is_done = |lesson: &LessonOutline| lesson.requirement.unwrap().is_fulfilled_by(states[&lesson.id]);
    let modules_are_done = course.modules.iter().all(|module| {
        let done = required(module).iter().filter(|lesson| is_done(lesson)).count();
        done >= required(module).len().min(module.at_least.map_or(usize::MAX, |enough| enough as usize))
    });
    let quizzes: Vec<u32> = course
        .modules
        .iter()
        .flat_map(required)
        .filter(|lesson| lesson.kind == LessonKind::Quiz)
        .map(|quiz| match states[&quiz.id].best_score {
            Some(Score { points, max: max @ 1.. }) => points * 12 / max,
            _ => 0,
        })
        .collect();
    let has_score = course.minimum_score.is_none_or(|minimum| {
        quizzes.iter().sum::<u32>() * 100 >= u32::from(minimum.get()) * 12 * quizzes.len() as u32
    });
    modules_are_done && has_score && course.modules.iter().any(|module| !required(module).is_empty())
}

proptest! {
    #[test]
    fn a_course_completes_by_its_rules((course, states) in any_course()) {
        let completion = of(&course, &states);
        prop_assert_eq!(completion.complete, is_complete(&course, &states));
        prop_assert_eq!(completion.complete, completion.percent == 100);
        prop_assert!(completion.fulfilled_lessons <= completion.required_lessons);
    }

    #[test]
    fn more_progress_never_takes_anything_away((course, states) in any_course(), more in any_state()) {
        let before = of(&course, &states);
        for id in states.keys() {
            let mut after = states.clone();
            after.entry(*id).and_modify(|state| {
                state.opened |= more.opened;
                if state.best_score.is_none() {
                    state.best_score = more.best_score;
                }
            });
            let after = of(&course, &after);
            prop_assert!(after.percent >= before.percent && (after.complete || !before.complete));
        }
    }
}
