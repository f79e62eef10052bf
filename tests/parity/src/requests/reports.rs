//! Reports, through `origin`.

use serde_json::json;

use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const RUN: &str = "POST /api/v1/reports/runs";
const INSTITUTION: &str = "GET /api/v1/reports/institution";
const INSTRUCTOR: &str = "GET /api/v1/reports/instructor";
const LEARNER: &str = "GET /api/v1/reports/learner";
/// The day on which the seeded certificates were issued.
const DAY: &str = "2026-09-21";

pub async fn reports(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, learner) = (r.staff.clone(), r.learner()?);
    let run = |day: &str| Ask::post("/api/v1/reports/runs", &json!({ "day": day }));
    r.good((RUN, "a day"), &staff, run(DAY)).await?;
    r.bad((RUN, "of the future"), &staff, run("9999-01-01")).await?;
    r.bad((RUN, "no day"), &staff, run("bugün")).await?;
    for (route, client, path) in [
        (INSTITUTION, &staff, "/api/v1/reports/institution"),
        (INSTRUCTOR, &staff, "/api/v1/reports/instructor"),
        (LEARNER, &learner, "/api/v1/reports/learner"),
    ] {
        let period = |from: &str, to: &str| Ask::get(format!("{path}?from={from}&to={to}"));
        r.good((route, "a week"), client, period("2026-09-15", DAY)).await?;
        r.bad((route, "backwards"), client, period(DAY, "2026-09-15")).await?;
        r.bad((route, "two years"), client, period("2024-09-15", DAY)).await?;
    }
    let own = Ask::get(format!("/api/v1/reports/learner?from={DAY}&to={DAY}"));
    r.send(Kind::Good, (LEARNER, "of a holder"), &staff, &own).await?;
    Ok(())
}
