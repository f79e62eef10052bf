//! The learner's part: lessons, film, heartbeats, document, quiz.

use akademi_local::api_client::{Answer, ApiClient, JsonExt};
use anyhow::{Context, ensure};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::time::Duration;

use crate::{
    authoring::Course,
    steps::{lesson_path, number, until},
};

pub async fn has_no_access(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    learner.get(&lesson_path(course, &course.text)).await?.expect(StatusCode::NOT_FOUND).map(drop)
}

pub async fn is_usable(learner: &ApiClient, course: &Course, run: &str) -> anyhow::Result<()> {
    let path = lesson_path(course, &course.text);
    let lesson = until("the paid course was not usable", 1_000, async || {
        let answer = learner.get(&path).await?;
        if answer.status == StatusCode::OK { answer.json().map(Some) } else { Ok(None) }
    })
    .await?;
    let html = lesson.to_string();
    ensure!(html.contains(&format!("fotosentez{run}")), "the lesson is not there");
    ensure!(!html.contains("<script"), "the lesson is not sanitised");
    Ok(())
}

/// Follows the redirect of a file's address to where the file is.
async fn follow(learner: &ApiClient, path: &str) -> anyhow::Result<Answer> {
    let answer = learner.get(path).await?;
    ensure!(answer.status == StatusCode::FOUND, "{path} answers {}", answer.status);
    let link = answer.headers.get(header::LOCATION).context("a redirect leads nowhere")?.to_str()?;
    fetch(learner, link).await
}

async fn fetch(learner: &ApiClient, link: &str) -> anyhow::Result<Answer> {
    let file = learner.visit(Method::GET, link, "").await?;
    ensure!(file.status == StatusCode::OK, "a file's link answers {}", file.status);
    Ok(file)
}

/// Fetches all that a player could: the master playlist (RFC 8216), its media playlists, every segment.
pub async fn plays(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let hls = format!("/api/v1/learning/courses/{}/lessons/{}/playback", course.id, course.film.lesson);
    // The edge hears of the video once it has been read.
    let playing = until("the video did not play", 1_000, async || {
        let answer = learner.get(&hls).await?;
        if answer.status == StatusCode::OK { answer.json().map(Some) } else { Ok(None) }
    })
    .await?;
    ensure!(playing.text("playlist")? == format!("{hls}/master.m3u8"), "{playing}");
    let playlist = async |name: &str| {
        let answer = learner.get(&format!("{hls}/{name}")).await?;
        ensure!(answer.status == StatusCode::OK, "{name} answers {}", answer.status);
        Ok(String::from_utf8(answer.body.to_vec())?)
    };
    let master = playlist("master.m3u8").await?;
    let mut renditions = 0;
    for name in master.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let media = playlist(name).await?;
        let mut seconds = 0.0;
        for line in media.lines() {
            if let Some(length) = line.strip_prefix("#EXTINF:") {
                seconds += length.trim_end_matches(',').parse::<f64>()?;
            } else if line.starts_with("http") {
                fetch(learner, line).await?;
            }
        }
        let missing = (seconds - f64::from(course.film.seconds)).abs();
        ensure!(missing < 1.0, "{name} has {seconds} s of {}", course.film.seconds);
        renditions += 1;
    }
    ensure!(renditions > 0, "the film has no rendition");
    Ok(())
}

/// A player's report on a lesson.
async fn beat(
    learner: &ApiClient,
    course: &Course,
    lesson: &str,
    playback: u8,
    seconds: &[(u32, u32)],
    late: f64,
) -> anyhow::Result<Value> {
    let position = seconds.last().map_or(0, |(_, to)| *to);
    let heartbeat = json!({ "course": course.id, "lesson": lesson,
        "playback": format!("01890000-0000-7000-8000-{playback:012}"),
        "intervals": seconds, "position": position, "rate": 1.0, "late_seconds": late });
    learner.post("/api/v1/progress/heartbeats", &heartbeat).await?.expect(StatusCode::OK)
}

pub async fn watch(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let (lesson, length) = (course.film.lesson.as_str(), course.film.seconds);
    let (early, late_from) = (length / 3, length / 2);
    // No more at once than the slack of the rules pays for.
    let first = (late_from, length.min(late_from + 10));
    beat(learner, course, lesson, 1, &[], 0.0).await?;
    let once = beat(learner, course, lesson, 1, &[first], 0.0).await?;
    ensure!(number(&once, "gained_seconds")? == u64::from(first.1 - first.0), "{once}");
    let twice = beat(learner, course, lesson, 1, &[first], 0.0).await?;
    ensure!(number(&twice, "gained_seconds")? == 0, "the same heartbeat counted twice");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let late = beat(learner, course, lesson, 1, &[(0, early)], 1.0).await?;
    let watched = u64::from(first.1 - first.0 + early);
    ensure!(number(&late, "watched_seconds")? == watched, "a late heartbeat is lost: {late}");
    let overlapping = beat(learner, course, lesson, 1, &[(early / 2, late_from + 1)], 0.0).await?;
    let watched = u64::from(first.1);
    ensure!(
        number(&overlapping, "watched_seconds")? == watched,
        "an overlap is counted wrongly: {overlapping}"
    );
    // What is left of a longer film takes its time.
    let patience = u64::from(length) * 1000 + 5_000;
    until("the film was not done", patience, async || {
        let all = beat(learner, course, lesson, 1, &[(0, length)], 0.0).await?;
        let is_done = number(&all, "watched_seconds")? == u64::from(length);
        ensure!(
            !is_done || all.get("lesson_completed") == Some(&Value::Bool(true)),
            "the film is not done: {all}"
        );
        Ok(is_done.then_some(()))
    })
    .await
}

/// Claims an hour at once; how many seconds of it counted.
pub async fn overclaim(learner: &ApiClient, course: &Course) -> anyhow::Result<u64> {
    let lesson = course.long_video.as_str();
    beat(learner, course, lesson, 2, &[], 0.0).await?;
    let claim = beat(learner, course, lesson, 2, &[(0, 3600)], 0.0).await?;
    let gained = number(&claim, "gained_seconds")?;
    ensure!(gained < 60, "an hour passed in a moment: {claim}");
    ensure!(number(&claim, "refused_seconds")? > 3500, "refused seconds are not told: {claim}");
    Ok(gained)
}

pub async fn open_document(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let file = follow(learner, &format!("/api/v1/media/{}/document.pdf", course.document.asset)).await?;
    ensure!(file.body.starts_with(b"%PDF-"), "the document is no PDF");
    let path = format!("{}/opening", lesson_path(course, &course.document.lesson));
    let standing = learner.post(&path, &json!({})).await?.expect(StatusCode::OK)?;
    ensure!(standing.get("completed_at").is_some_and(Value::is_string), "opening does not complete it");
    Ok(())
}

pub async fn answer(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let quiz = &course.quiz;
    let lesson = learner.get(&lesson_path(course, &quiz.lesson)).await?.expect(StatusCode::OK)?.to_string();
    ensure!(!lesson.contains("\"correct\""), "the quiz tells its answers");
    let path = format!("{}/attempts", lesson_path(course, &quiz.lesson));
    let wrong = learner.post(&path, &quiz.wrong).await?.expect(StatusCode::OK)?;
    ensure!(wrong.pointer("/score/points") == Some(&json!(0)), "a wrong answer scored: {wrong}");
    ensure!(wrong.get("course_completed") == Some(&Value::Bool(false)), "the course completed too early");
    let right = learner.post(&path, &quiz.right).await?.expect(StatusCode::OK)?;
    ensure!(
        right.pointer("/score/points") == Some(&json!(quiz.points)),
        "the right answer did not score: {right}"
    );
    ensure!(right.get("course_completed") == Some(&Value::Bool(true)), "the course did not complete");
    Ok(())
}

pub async fn is_complete(learner: &ApiClient, course: &Course) -> anyhow::Result<()> {
    let path = format!("/api/v1/progress/courses/{}", course.id);
    let progress = learner.get(&path).await?.expect(StatusCode::OK)?;
    ensure!(progress.pointer("/completion/percent") == Some(&json!(100)), "{progress}");
    ensure!(progress.get("completed_at").is_some_and(Value::is_string), "{progress}");
    Ok(())
}
