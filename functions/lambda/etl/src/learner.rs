//! A learner's own dashboard.

use akademi_api::{Body, Caller, QueryParams};
use akademi_domain::{
    ids::CourseId,
    time::{Day, Timestamp},
};
use axum::extract::State;
use serde::Serialize;

use crate::{
    Etl, EtlError,
    dashboard::{Activity, STATEMENT_MILLIS},
    period::PeriodParams,
    store,
};

/// A period of one learner.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LearnerDashboard)]
pub struct LearnerAnswer {
    pub from: Day,
    pub to: Day,
    /// When the reports were last derived; null before the first time.
    pub as_of: Option<Timestamp>,
    pub totals: Activity,
    /// Courses in which anything happened, the most watched first.
    pub courses: Vec<LearnerCourse>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LearnerDashboardCourse)]
pub struct LearnerCourse {
    pub course: CourseId,
    pub title: String,
    #[serde(flatten)]
    pub activity: Activity,
}

/// One's own dashboard
#[utoipa::path(get, path = "/api/v1/reports/learner", tag = "reports", params(PeriodParams),
    responses((status = 200, description = "What the caller did in the period", body = LearnerAnswer)))]
pub async fn learner(
    State(etl): State<Etl>,
    caller: Caller,
    QueryParams(params): QueryParams<PeriodParams>,
) -> Result<Body<LearnerAnswer>, EtlError> {
    let period = params.period(etl.ports.now().day_in_istanbul())?;
    let mut tx = etl.postgres.tenant(caller.tenant).await?;
    store::limit_statements(&mut tx, STATEMENT_MILLIS).await?;
    let courses = store::activity_of_learner(&mut tx, period, caller.user).await?;
    let as_of = store::last_run(&mut tx).await?;
    tx.commit().await?;
    let mut totals = Activity::default();
    courses.iter().for_each(|(_, _, activity)| totals.add(activity));
    let course = |(course, title, activity)| LearnerCourse { course, title, activity };
    Ok(Body(LearnerAnswer {
        from: period.from,
        to: period.to,
        as_of,
        totals,
        courses: courses.into_iter().map(course).collect(),
    }))
}
