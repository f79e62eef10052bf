//! The nightly run and the dashboards.

use akademi_domain::time::Timestamp;
use akademi_local::api_client::{ApiClient, JsonExt};
use anyhow::{Context, ensure};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    authoring::Course,
    shop::PAID,
    steps::{number, until},
};

/// An academy's figures before the learner came.
pub struct Before {
    from: String,
    totals: Value,
}

/// The day that it is in Istanbul, as the reports count days.
#[allow(clippy::disallowed_methods, reason = "a person asks for today's report")]
fn today() -> anyhow::Result<String> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(Timestamp::from_millis(i64::try_from(since.as_millis())?).day_in_istanbul().to_string())
}

/// Runs the day's ETL; how many rows it changed. While another run works on the academy, one is told to come again.
async fn run(administrator: &ApiClient, day: &str) -> anyhow::Result<u64> {
    let ran = until("the day's run was not taken", 30_000, async || {
        let answer = administrator.post("/api/v1/reports/runs", &json!({ "day": day })).await?;
        if answer.status == StatusCode::CONFLICT { Ok(None) } else { answer.expect(StatusCode::OK).map(Some) }
    })
    .await?;
    number(&ran, "rows_changed")
}

async fn read(client: &ApiClient, report: &str, from: &str, to: &str) -> anyhow::Result<Value> {
    client.get(&format!("/api/v1/reports/{report}?from={from}&to={to}")).await?.expect(StatusCode::OK)
}

fn totals(report: &Value) -> anyhow::Result<Value> {
    report.get("totals").cloned().with_context(|| format!("the report has no totals: {report}"))
}

/// What was paid in lira, in kuruş.
fn paid(figures: &Value) -> i64 {
    let sums = figures.get("paid").and_then(Value::as_array).into_iter().flatten();
    let mut lira = sums.filter(|sum| sum.get("currency") == Some(&json!("TRY")));
    lira.next().and_then(|sum| sum.get("amount")).and_then(Value::as_i64).unwrap_or(0)
}

pub async fn before(administrator: &ApiClient) -> anyhow::Result<Before> {
    let from = today()?;
    run(administrator, &from).await?;
    let totals = totals(&read(administrator, "institution", &from, &from).await?)?;
    Ok(Before { from, totals })
}

/// One enrolment, what was paid, the seconds watched, one certificate: for the academy beside what it had before, for
/// the instructor's course, and for the learner.
pub async fn show(
    administrator: &ApiClient,
    instructor: &ApiClient,
    learner: &ApiClient,
    course: &Course,
    before: &Before,
    watched: u64,
) -> anyhow::Result<()> {
    let (from, to) = (before.from.as_str(), today()?);
    for day in [from, &to] {
        run(administrator, day).await?;
        ensure!(run(administrator, day).await? == 0, "a second run changed rows of {day}");
    }
    let academy = totals(&read(administrator, "institution", from, &to).await?)?;
    for (figure, expected) in [("enrolments", 1), ("certificates", 1), ("watched_seconds", watched)] {
        let more = number(&academy, figure)? - number(&before.totals, figure)?;
        ensure!(more == expected, "{more} {figure} came to the academy, not {expected}");
    }
    ensure!(paid(&academy) - paid(&before.totals) == PAID, "{academy}");

    let taught = read(instructor, "instructor", from, &to).await?;
    let is_this = |figures: &&Value| figures.pointer("/course") == Some(&json!(course.id));
    let courses = taught.get("courses").and_then(Value::as_array).context("no courses")?;
    let of_course = courses.iter().find(is_this).context("the instructor's dashboard lacks the course")?;
    let mine = read(learner, "learner", from, &to).await?;
    for figures in [of_course, &totals(&mine)?] {
        for (figure, expected) in [("enrolments", 1), ("certificates", 1), ("watched_seconds", watched)] {
            ensure!(number(figures, figure)? == expected, "{figure} is not {expected}: {figures}");
        }
        ensure!(paid(figures) == PAID, "{figures}");
    }
    administrator
        .get("/api/v1/reports/institution?from=yesterday")
        .await?
        .expect(StatusCode::UNPROCESSABLE_ENTITY)?;
    learner.get("/api/v1/reports/institution").await?.expect(StatusCode::FORBIDDEN)?;
    ensure!(mine.text("as_of").is_ok(), "the dashboard does not say of when it is");
    Ok(())
}
