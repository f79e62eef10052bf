//! The audit log, through `origin`: what the requests before have left in it.

use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const LIST: &str = "GET /api/v1/audit";
const EXPORT: &str = "GET /api/v1/audit.csv";

pub async fn audit(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    // Of one action: the edge's own entries come when `sync` brings them.
    let of_courses = "/api/v1/audit?action=course.created";
    r.good((LIST, "courses that were made"), &staff, Ask::get(of_courses)).await?;
    r.paged(LIST, &staff, "/api/v1/audit", "?action=course.created").await?;
    let run = Ask::get("/api/v1/audit?action=report.run&from=2026-01-01T00:00:00Z");
    r.send(Kind::Good, (LIST, "runs of reports"), &staff, &run).await?;
    r.bad((LIST, "of nobody"), &staff, Ask::get("/api/v1/audit?actor=x")).await?;
    r.bad(
        (LIST, "backwards"),
        &staff,
        Ask::get("/api/v1/audit?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z"),
    )
    .await?;

    // Of what nobody did: the export holds times, and each one is an entry of its own.
    r.good((EXPORT, "of nothing"), &staff, Ask::get("/api/v1/audit.csv?action=nothing.done")).await?;
    r.bad((EXPORT, "with a page"), &staff, Ask::get("/api/v1/audit.csv?limit=5")).await?;
    r.bad(
        (EXPORT, "of a long target"),
        &staff,
        Ask::get(format!("/api/v1/audit.csv?target={}", "a".repeat(201))),
    )
    .await?;
    Ok(())
}
