//! The dashboards of the institution and of an instructor: all courses, or one's own.

use akademi_api::{Body, Caller, QueryParams};
use akademi_domain::{
    ids::{CourseId, UserId},
    money::Money,
    time::{Day, Timestamp},
};
use axum::extract::State;
use serde::Serialize;

use crate::{
    Etl, EtlError,
    period::{Period, PeriodParams},
    store,
};

/// How many courses the institution's dashboard names: the most watched.
const TOP_COURSES: i64 = 10;
/// How many of their courses an instructor's dashboard names.
const OWN_COURSES: i64 = 100;

/// How long a statement of a dashboard may take before it is broken off.
pub const STATEMENT_MILLIS: u32 = 10_000;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct Activity {
    pub enrolments: i64,
    pub completions: i64,
    /// Issued.
    pub certificates: i64,
    /// Revoked, whenever they were issued.
    pub revoked_certificates: i64,
    /// What was captured, VAT inside, one amount for each currency in which there was any.
    pub paid: Vec<Money>,
    /// Seconds of video seen for the first time, on the day of the newest report that brought them.
    pub watched_seconds: i64,
}

impl Activity {
    /// This and the other together.
    pub fn add(&mut self, other: &Self) {
        self.enrolments += other.enrolments;
        self.completions += other.completions;
        self.certificates += other.certificates;
        self.revoked_certificates += other.revoked_certificates;
        self.watched_seconds += other.watched_seconds;
        for money in &other.paid {
            match self.paid.iter_mut().find(|sum| sum.currency == money.currency) {
                Some(sum) => sum.amount += money.amount,
                None => self.paid.push(*money),
            }
        }
    }
}

/// A period of many learners.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Dashboard)]
pub struct DashboardAnswer {
    pub from: Day,
    pub to: Day,
    /// When the reports were last derived; null before the first time.
    pub as_of: Option<Timestamp>,
    pub totals: Totals,
    /// Every day of the period, also those on which nothing happened.
    pub days: Vec<DayActivity>,
    /// Courses in which anything happened, the most watched first: ten of the institution, or a hundred of one's own.
    pub courses: Vec<CourseActivity>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DashboardTotals)]
pub struct Totals {
    #[serde(flatten)]
    pub activity: Activity,
    /// People who did something in a lesson, each counted once.
    pub active_learners: i64,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DashboardDay)]
pub struct DayActivity {
    pub day: Day,
    #[serde(flatten)]
    pub activity: Activity,
    pub active_learners: i64,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DashboardCourse)]
pub struct CourseActivity {
    pub course: CourseId,
    /// As its authors call it now.
    pub title: String,
    #[serde(flatten)]
    pub activity: Activity,
    pub active_learners: i64,
    /// Seconds that players claimed and the server did not believe.
    pub refused_seconds: i64,
    /// The average of learners' best scores so far in all of its quizzes, in thousandths; null before the first answer.
    pub average_score_permille: Option<i64>,
}

/// The institution's dashboard
#[utoipa::path(get, path = "/api/v1/reports/institution", tag = "reports", params(PeriodParams),
    responses((status = 200, description = "The academy in the period", body = DashboardAnswer)))]
pub async fn institution(
    State(etl): State<Etl>,
    caller: Caller,
    QueryParams(params): QueryParams<PeriodParams>,
) -> Result<Body<DashboardAnswer>, EtlError> {
    let period = params.period(etl.ports.now().day_in_istanbul())?;
    read(&etl, &caller, period, None, TOP_COURSES).await.map(Body)
}

/// An instructor's dashboard: their own courses
#[utoipa::path(get, path = "/api/v1/reports/instructor", tag = "reports", params(PeriodParams),
    responses((status = 200, description = "The caller's courses in the period", body = DashboardAnswer)))]
pub async fn instructor(
    State(etl): State<Etl>,
    caller: Caller,
    QueryParams(params): QueryParams<PeriodParams>,
) -> Result<Body<DashboardAnswer>, EtlError> {
    let period = params.period(etl.ports.now().day_in_istanbul())?;
    read(&etl, &caller, period, Some(caller.user), OWN_COURSES).await.map(Body)
}

async fn read(
    etl: &Etl,
    caller: &Caller,
    period: Period,
    owner: Option<UserId>,
    limit: i64,
) -> Result<DashboardAnswer, EtlError> {
    let mut tx = etl.postgres.tenant(caller.tenant).await?;
    store::limit_statements(&mut tx, STATEMENT_MILLIS).await?;
    let mut by_day = store::activity_by_day(&mut tx, period, owner).await?;
    let courses = store::activity_by_course(&mut tx, period, owner, limit).await?;
    let active = store::active_learners(&mut tx, period, owner).await?;
    tx.commit().await?;

    let mut activity = Activity::default();
    by_day.values().for_each(|of_day| activity.add(of_day));
    let day = |day: Day| DayActivity {
        day,
        activity: by_day.remove(&day).unwrap_or_default(),
        active_learners: active.by_day.get(&day).copied().unwrap_or_default(),
    };
    let course = |course: store::CourseActivity| CourseActivity {
        course: course.course,
        title: course.title,
        activity: course.activity,
        active_learners: active.by_course.get(&course.course).copied().unwrap_or_default(),
        refused_seconds: course.refused_seconds,
        average_score_permille: course.average_score_permille,
    };
    Ok(DashboardAnswer {
        from: period.from,
        to: period.to,
        as_of: active.as_of,
        totals: Totals { activity, active_learners: active.in_period },
        days: period.days().map(day).collect(),
        courses: courses.into_iter().map(course).collect(),
    })
}
