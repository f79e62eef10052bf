//! A learner and a course: enrolled, watched, opened, answered.

use akademi_api::signed::Purpose;
use akademi_local::api_client::JsonExt;
use http::Method;
use serde_json::{Value, json};

use super::{BOUND, COURSE, FILM, LIVE, NOTHING, OTHER_COURSE, QUIZ, TEXT, VIDEO};
use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const HEARTBEATS: &str = "POST /api/v1/progress/heartbeats";
pub(super) const ENROLMENTS: &str = "POST /api/v1/enrolments";
const LESSON: &str = "GET /api/v1/learning/courses/{course_id}/lessons/{lesson_id}";
const OPENING: &str = "POST /api/v1/learning/courses/{course_id}/lessons/{lesson_id}/opening";
const ATTEMPTS: &str = "POST /api/v1/learning/courses/{course_id}/lessons/{lesson_id}/attempts";
const PLAYBACK: &str = "GET /api/v1/learning/courses/{course_id}/lessons/{lesson_id}/playback";
const PLAYED: &str = "GET /api/v1/learning/courses/{course_id}/lessons/{lesson_id}/playback/{*path}";
const MARKS: &str = "GET /api/v1/learning/courses/{course_id}/lessons/{lesson_id}/marks";
const GIVE: &str = "PUT /api/v1/learning/courses/{course_id}/lessons/{lesson_id}/marks/{person_id}";
const TAKE_BACK: &str = "DELETE /api/v1/learning/courses/{course_id}/lessons/{lesson_id}/marks/{person_id}";
const PAGE: &str = "GET /courses/{course_id}/lessons/{lesson_id}";
const PROGRESS: &str = "GET /api/v1/progress/courses/{course_id}";

pub async fn learning(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    enrolment(r).await?;
    watching(r).await?;
    playing(r).await?;
    marks(r).await?;
    lessons(r).await
}

async fn enrolment(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (learner, staff) = (r.learner()?, r.staff.clone());
    let person = learner.get("/api/v1/users/me").await?.json()?.text("id")?;
    r.bad((HEARTBEATS, "not enrolled"), &learner, heartbeat(json!([]), 0.0)).await?;
    let grant =
        |course: &str| Ask::post("/api/v1/enrolments", &json!({ "person": person, "course": course }));
    r.good((ENROLMENTS, "enrol"), &staff, grant(COURSE)).await?;
    r.send(Kind::Good, (ENROLMENTS, "enrol again"), &staff, &grant(COURSE)).await?;
    r.bad((ENROLMENTS, "in an unknown course"), &staff, grant(NOTHING)).await?;
    Ok(())
}

fn heartbeat(intervals: Value, position: f64) -> Ask {
    let body = json!({ "course": COURSE, "lesson": VIDEO, "playback": NOTHING, "intervals": intervals,
                       "position": position, "rate": 1.0 });
    Ask::post("/api/v1/progress/heartbeats", &body)
}

async fn watching(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let learner = r.learner()?;
    r.send(Kind::Good, (HEARTBEATS, "first"), &learner, &heartbeat(json!([]), 0.0)).await?;
    r.good((HEARTBEATS, "ten seconds"), &learner, heartbeat(json!([[0.0, 10.0]]), 10.0)).await?;
    r.send(Kind::Good, (HEARTBEATS, "ten seconds again"), &learner, &heartbeat(json!([[0.0, 10.0]]), 10.0))
        .await?;
    r.bad((HEARTBEATS, "backwards"), &learner, heartbeat(json!([[9.0, 3.0]]), 3.0)).await?;
    r.bad((HEARTBEATS, "beyond the end"), &learner, heartbeat(json!([[0.0, 99_999.0]]), 3.0)).await?;
    Ok(())
}

async fn playing(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let learner = r.learner()?;
    let ask = |lesson: &str, path: &str| {
        Ask::get(format!("/api/v1/learning/courses/{COURSE}/lessons/{lesson}/playback{path}"))
    };
    let page = |lesson: &str| Ask::get(format!("/courses/{COURSE}/lessons/{lesson}"));
    let anybody = r.umraniye.clone();
    r.good((PAGE, "a film"), &anybody, page(FILM)).await?;
    r.bad((PAGE, "of an unknown lesson"), &anybody, page(NOTHING)).await?;
    r.good((PLAYBACK, "a film"), &learner, ask(FILM, "")).await?;
    r.send(Kind::Good, (PLAYBACK, "a video at YouTube"), &learner, &ask(VIDEO, "")).await?;
    r.bad((PLAYBACK, "of a text"), &learner, ask(TEXT, "")).await?;
    r.bad((PLAYBACK, "of an unknown lesson"), &learner, ask(NOTHING, "")).await?;
    r.good((PLAYED, "playlist"), &learner, ask(FILM, "/720p/index.m3u8")).await?;
    r.send(Kind::Good, (PLAYED, "small pictures"), &learner, &ask(FILM, "/thumbnails.vtt")).await?;
    r.send(Kind::Good, (PLAYED, "delivery-bound"), &learner, &ask(BOUND, "/720p/index.m3u8")).await?;
    r.send(Kind::Good, (PLAYED, "segment"), &learner, &ask(BOUND, "/720p/segments/1")).await?;
    r.bad((PLAYED, "no playlist"), &learner, ask(FILM, "/1080p/index.m3u8")).await?;
    r.bad((PLAYED, "no segment"), &learner, ask(BOUND, "/720p/segments/2")).await?;
    Ok(())
}

/// Staff, who is enrolled too, says who attended the live class.
async fn marks(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (learner, staff, administrator) = (r.learner()?, r.staff.clone(), r.deployment.staff);
    let person = learner.get("/api/v1/users/me").await?.json()?.text("id")?;
    let enrolled = json!({ "person": administrator, "course": COURSE });
    r.send(Kind::Good, (ENROLMENTS, "staff"), &staff, &Ask::post("/api/v1/enrolments", &enrolled)).await?;
    let lessons = format!("/api/v1/learning/courses/{COURSE}/lessons");
    let mark = |method: Method, lesson: &str, person: &str| {
        Ask::new(method, format!("{lessons}/{lesson}/marks/{person}"))
    };
    r.good((GIVE, "attended"), &staff, mark(Method::PUT, LIVE, &person)).await?;
    r.send(Kind::Good, (GIVE, "again"), &staff, &mark(Method::PUT, LIVE, &person)).await?;
    r.send(Kind::Good, (GIVE, "staff"), &staff, &mark(Method::PUT, LIVE, &administrator.to_string())).await?;
    r.bad((GIVE, "a text"), &staff, mark(Method::PUT, TEXT, &person)).await?;
    r.bad((GIVE, "who is not enrolled"), &staff, mark(Method::PUT, LIVE, NOTHING)).await?;
    let list = format!("{lessons}/{LIVE}/marks");
    r.good((MARKS, "of the live class"), &staff, Ask::get(list.as_str())).await?;
    r.paged(MARKS, &staff, &list, "").await?;
    let nowhere = format!("/api/v1/learning/courses/{NOTHING}/lessons/{LIVE}/marks");
    r.bad((MARKS, "an unknown course"), &staff, Ask::get(nowhere)).await?;
    r.good((TAKE_BACK, "not attended"), &staff, mark(Method::DELETE, LIVE, &person)).await?;
    r.send(Kind::Good, (TAKE_BACK, "again"), &staff, &mark(Method::DELETE, LIVE, &person)).await?;
    r.bad((TAKE_BACK, "an unknown lesson"), &staff, mark(Method::DELETE, NOTHING, &person)).await?;
    Ok(())
}

async fn lessons(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (learner, academy) = (r.learner()?, r.umraniye.clone());
    let lessons = format!("/api/v1/learning/courses/{COURSE}/lessons");
    r.good((LESSON, "video"), &learner, Ask::get(format!("{lessons}/{VIDEO}"))).await?;
    r.send(Kind::Good, (LESSON, "quiz"), &learner, &Ask::get(format!("{lessons}/{QUIZ}"))).await?;
    r.bad((LESSON, "unknown lesson"), &learner, Ask::get(format!("{lessons}/{COURSE}"))).await?;
    r.bad((LESSON, "no id"), &learner, Ask::get(format!("{lessons}/1"))).await?;
    r.good((OPENING, "open"), &learner, Ask::post(format!("{lessons}/{TEXT}/opening"), &json!({}))).await?;
    r.bad(
        (OPENING, "an unknown lesson"),
        &learner,
        Ask::post(format!("{lessons}/{NOTHING}/opening"), &json!({})),
    )
    .await?;

    let attempt = |question: &str, answer: Value| {
        Ask::post(
            format!("{lessons}/{QUIZ}/attempts"),
            &json!({ "answers": [{ "question": question, "answer": answer }] }),
        )
    };
    r.send(Kind::Good, (ATTEMPTS, "wrong answer"), &learner, &attempt("q1", json!({ "choices": ["a"] })))
        .await?;
    r.good((ATTEMPTS, "right answer"), &learner, attempt("q1", json!({ "choices": ["b"] }))).await?;
    r.bad((ATTEMPTS, "answer to no question"), &learner, attempt("q9", json!({ "text": "x" }))).await?;
    r.turkish((ATTEMPTS, "a Turkish answer"), &learner, attempt("q1", json!({ "text": "yedi ışık 🎓" })))
        .await?;

    r.good((PROGRESS, "course"), &learner, Ask::get(format!("/api/v1/progress/courses/{COURSE}"))).await?;
    r.bad(
        (PROGRESS, "another course"),
        &learner,
        Ask::get(format!("/api/v1/progress/courses/{OTHER_COURSE}")),
    )
    .await?;
    let out = Ask::get("/internal/feed?after=0").signed(Purpose::Feed);
    r.send(Kind::Good, ("GET /internal/feed", "after all that"), &academy, &out).await?;
    Ok(())
}
