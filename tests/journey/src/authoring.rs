//! The instructor's part: an archive becomes a course that is published.

use akademi_local::{
    api_client::{ApiClient, JsonExt},
    course_import::{self, lessons_mut},
    demo::require,
};
use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::steps::{number, until};

const COURSES: &str = "/api/v1/authoring/courses";

/// The course of this run, by what the API calls it.
pub struct Course {
    pub id: String,
    pub slug: String,
    pub title: String,
    pub film: Film,
    /// A video of an hour that nobody must watch.
    pub long_video: String,
    /// An HTML lesson, with a word that only this run has.
    pub text: String,
    pub document: Document,
    pub quiz: Quiz,
}

/// A video lesson whose film came with the archive.
pub struct Film {
    pub lesson: String,
    pub asset: String,
    pub seconds: u32,
}

pub struct Document {
    pub lesson: String,
    pub asset: String,
}

/// A quiz lesson of single choices.
pub struct Quiz {
    pub lesson: String,
    /// What is sent to reach all points, and none.
    pub right: Value,
    pub wrong: Value,
    pub points: u64,
}

pub async fn refuse_cut_archive(instructor: &ApiClient, archive: &Bytes, run: &str) -> anyhow::Result<()> {
    let drafts = async || instructor.get(COURSES).await?.expect(StatusCode::OK);
    let before = drafts().await?;
    let cut = archive.slice(..archive.len() / 2);
    let job = course_import::start(instructor, &format!("cut-{run}"), cut).await?;
    let refused = course_import::result(instructor, &job, &|_| {}).await;
    let reason = refused.err().context("an archive that is cut off was imported")?.to_string();
    ensure!(reason.contains("cut off"), "the reason is not told: {reason}");
    ensure!(drafts().await? == before, "a draft is left");
    Ok(())
}

/// The import's result.
pub async fn import_course(instructor: &ApiClient, archive: &Bytes, run: &str) -> anyhow::Result<Value> {
    let imported =
        course_import::import(instructor, &format!("course-{run}"), archive.clone(), &|_| {}).await?;
    let videos = imported.get("transcodes").and_then(Value::as_array).map_or(0, Vec::len);
    ensure!(videos > 0, "the archive has no film");
    Ok(imported)
}

/// Every block stands in the report once, and the counts add up to the blocks.
pub fn accounts(imported: &Value) -> anyhow::Result<()> {
    let listed = imported.pointer("/report/blocks").and_then(Value::as_array).context("no report")?;
    let counts = imported.get("blocks").and_then(Value::as_object).context("no counts")?;
    let counted: u64 = counts
        .values()
        .filter_map(Value::as_object)
        .flat_map(|outcomes| outcomes.values().filter_map(Value::as_u64))
        .sum();
    ensure!(counted == u64::try_from(listed.len())?, "{counted} blocks are counted, {} listed", listed.len());
    Ok(())
}

pub async fn name_and_require(instructor: &ApiClient, imported: &Value, run: &str) -> anyhow::Result<Course> {
    let path = format!("{COURSES}/{}", imported.text("course")?);
    let title = format!("İklim ve Işık: Açık Ders {run}");
    let mut draft = instructor.get(&path).await?.expect(StatusCode::OK)?;
    mark(&mut draft, run)?;
    let content = json!({ "revision": draft.get("revision"), "modules": draft.get("modules") });
    let draft = instructor.send_json(Method::PUT, &format!("{path}/content"), &content).await?;
    let mut draft = draft.expect(StatusCode::OK)?;
    let change = json!({ "revision": draft.get("revision"), "title": title, "language": "tr",
        "slug": format!("iklim-ve-isik-acik-ders-{run}"), "summary": "Güneş, hava ve ışık üzerine açık bir ders." });
    let head = instructor.send_json(Method::PATCH, &path, &change).await?.expect(StatusCode::OK)?;

    let lessons: Vec<Value> = lessons_mut(&mut draft).map(|lesson| lesson.take()).collect();
    let lesson =
        |is: &dyn Fn(&Value) -> bool| lessons.iter().find(|lesson| is(lesson)).context("a lesson is gone");
    let film = lesson(&is_film)?;
    let document = lesson(&|lesson| kind(lesson) == "document")?;
    let quiz = lesson(&|lesson| lesson.get("requirement").is_some_and(Value::is_object) && is_quiz(lesson))?;
    Ok(Course {
        id: head.text("id")?,
        slug: head.text("slug")?,
        title,
        film: Film {
            lesson: film.text("id")?,
            asset: film.pointer("/body/source").context("a film has no source")?.text("asset")?,
            seconds: u32::try_from(number(film, "duration_seconds")?)?,
        },
        long_video: lesson(&|lesson| lesson.get("title") == Some(&json!("Uzun kayıt")))?.text("id")?,
        text: lesson(&|lesson| lesson.to_string().contains(&format!("fotosentez{run}")))?.text("id")?,
        document: Document {
            lesson: document.text("id")?,
            asset: document.get("body").context("a document has no body")?.text("asset")?,
        },
        quiz: Quiz {
            lesson: quiz.text("id")?,
            right: attempt(quiz, true)?,
            wrong: attempt(quiz, false)?,
            points: keys(quiz).filter_map(|key| key.get("points").and_then(Value::as_u64)).sum(),
        },
    })
}

/// Requires the film, one document and one quiz, adds an hour of video, and puts this run's word into a text.
fn mark(draft: &mut Value, run: &str) -> anyhow::Result<()> {
    let (mut film, mut document, mut quiz, mut text) = (false, false, false, false);
    for lesson in lessons_mut(draft) {
        let chosen = match kind(lesson) {
            "video" if is_film(lesson) => &mut film,
            "document" => &mut document,
            "quiz" if is_quiz(lesson) => &mut quiz,
            "html" if !text => {
                let html = lesson.pointer_mut("/body/html").context("an HTML lesson has no HTML")?;
                let more = format!("<p>Atmosferde <em>fotosentez{run}</em>.</p><script>alert(1)</script>");
                *html = json!(format!("{}{more}", html.as_str().unwrap_or_default()));
                text = true;
                continue;
            }
            _ => continue,
        };
        if !std::mem::replace(chosen, true) {
            require(lesson)?;
        }
    }
    ensure!(film && document && quiz && text, "the course lacks a film, a document, a quiz or a text");
    let first = draft.pointer_mut("/modules/0/sections/0/lessons").and_then(Value::as_array_mut);
    first.context("the first section is not there")?.push(json!({
        "title": "Uzun kayıt", "duration_seconds": 3600, "body": { "kind": "video", "subtitles": [],
            "source": { "from": "youtube", "id": "aqz-KE-bpKQ" } } }));
    Ok(())
}

fn kind(lesson: &Value) -> &str {
    lesson.pointer("/body/kind").and_then(Value::as_str).unwrap_or_default()
}

fn is_film(lesson: &Value) -> bool {
    lesson.pointer("/body/source/asset").is_some() && number(lesson, "duration_seconds").is_ok()
}

/// A quiz in which one choice of each question is right.
fn is_quiz(lesson: &Value) -> bool {
    let mut keys = keys(lesson).peekable();
    keys.peek().is_some() && keys.all(|key| key.pointer("/rule/kind") == Some(&json!("one_of")))
}

fn keys(lesson: &Value) -> impl Iterator<Item = &Value> {
    lesson.pointer("/answers/questions").and_then(Value::as_array).into_iter().flatten()
}

/// An attempt that answers every question rightly, or every one wrongly.
fn attempt(quiz: &Value, rightly: bool) -> anyhow::Result<Value> {
    let questions = quiz.pointer("/body/quiz/questions").and_then(Value::as_array).context("no questions")?;
    let mut answers = Vec::new();
    for key in keys(quiz) {
        let question = questions.iter().find(|question| question.get("id") == key.get("question"));
        let choices =
            question.and_then(|question| question.pointer("/form/choices")).and_then(Value::as_array);
        let correct = key.pointer("/rule/correct").and_then(Value::as_array).context("no right choice")?;
        let chosen = choices
            .context("a question has no choices")?
            .iter()
            .filter_map(|choice| choice.get("id"))
            .find(|id| correct.contains(id) == rightly)
            .context("all choices are right, or none")?;
        answers.push(json!({ "question": key.get("question"), "answer": { "choices": [chosen] } }));
    }
    Ok(json!({ "answers": answers }))
}

pub async fn is_hidden(api: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let answer = api.get(&format!("/api/v1/catalog/courses/{}", course.slug)).await?;
    answer.expect(StatusCode::NOT_FOUND).map(drop)
}

pub async fn publish(instructor: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let path = format!("{COURSES}/{}/publish", course.id);
    instructor.post(&path, &json!({})).await?.expect(StatusCode::OK).map(drop)
}

/// Waits for what the feed brings.
pub async fn appears(api: &ApiClient, course: &Course) -> anyhow::Result<Value> {
    let path = format!("/api/v1/catalog/courses/{}", course.slug);
    until("the course did not show up", 10_000, async || {
        let answer = api.get(&path).await?;
        if answer.status == StatusCode::OK { answer.json().map(Some) } else { Ok(None) }
    })
    .await
}

pub fn holds_no_secret(page: &Value, course: &Course) -> anyhow::Result<()> {
    let text = page.to_string();
    for secret in ["fotosentez", "correct", "answers", "aqz-KE-bpKQ", "\"body\"", &course.film.asset] {
        ensure!(!text.contains(secret), "the public page holds {secret:?}");
    }
    ensure!(text.contains("Uzun kayıt"), "the public page lacks its outline");
    Ok(())
}

pub async fn finds(api: &ApiClient, course: &Course, run: &str) -> anyhow::Result<()> {
    let in_lesson = format!("fotosentez{run}");
    // The run's name keeps the hits of other runs out of the first page.
    let queries = ["isik", "I%C5%9EIK", "iklim"].map(|word| format!("{word}+{run}"));
    for query in queries.iter().chain([&in_lesson]) {
        let path = format!("/api/v1/catalog/search?q={query}&limit=100");
        let hits = api.get(&path).await?.expect(StatusCode::OK)?;
        let is_hit = |hit: &Value| hit.text("slug").is_ok_and(|slug| slug == course.slug);
        let found = hits.get("data").and_then(Value::as_array).is_some_and(|hits| hits.iter().any(is_hit));
        ensure!(found, "searching for {query} does not find the course");
    }
    Ok(())
}
