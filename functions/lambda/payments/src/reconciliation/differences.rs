//! What does not agree, as staff sees it.

use akademi_api::{
    Body, Caller, QueryParams,
    paging::{Cursor, Limit, Page},
};
use akademi_domain::{
    ids::{DifferenceId, PaymentId},
    time::Timestamp,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::{DifferenceKind, SubjectKind, Sum};
use crate::{Payments, PaymentsError, store};

const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceState {
    Open,
    Resolved,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DifferenceParams {
    /// How many entries to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// Where the page before ended: its `next_cursor`.
    #[serde(default)]
    cursor: Option<String>,
    /// Only those that are open, or that have ended.
    #[serde(default)]
    #[param(inline)]
    state: Option<DifferenceState>,
    /// Of this provider only: `paytr` or `iyzico`.
    #[serde(default)]
    #[param(max_length = 20)]
    provider: Option<String>,
}

/// Minor units of a currency that need not be one that the academy sells in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ReportedSum {
    pub amount: i64,
    /// ISO 4217.
    #[schema(example = "TRY")]
    pub currency: String,
}

impl From<Sum> for ReportedSum {
    fn from(sum: Sum) -> Self {
        Self { amount: sum.amount, currency: sum.currency }
    }
}

/// Where our books and a provider's report do not agree.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Difference)]
pub struct DifferenceAnswer {
    pub id: DifferenceId,
    pub provider: String,
    pub kind: DifferenceKind,
    pub subject_kind: SubjectKind,
    /// Our id of it without hyphens, or the provider's name where it is none of ours.
    pub subject: String,
    /// The payment that it belongs to, if that is one of ours.
    pub payment: Option<PaymentId>,
    /// What stands here; null for what stands nowhere here.
    pub ours: Option<ReportedSum>,
    /// What the provider reports; null for what it does not.
    pub theirs: Option<ReportedSum>,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// When the two agreed again.
    pub resolved_at: Option<Timestamp>,
    /// Whole days from the first sight until now, or until it was resolved.
    pub age_days: i64,
}

impl DifferenceAnswer {
    fn new(difference: store::Difference, now: Timestamp) -> Self {
        let until = difference.resolved_at.unwrap_or(now);
        Self {
            age_days: until.millis_since(difference.first_seen_at) / MILLIS_PER_DAY,
            id: difference.id,
            provider: difference.provider,
            kind: difference.kind,
            subject_kind: difference.subject_kind,
            subject: difference.subject,
            payment: difference.payment,
            ours: difference.ours.map(ReportedSum::from),
            theirs: difference.theirs.map(ReportedSum::from),
            first_seen_at: difference.first_seen_at,
            last_seen_at: difference.last_seen_at,
            resolved_at: difference.resolved_at,
        }
    }
}

/// Where the academy's books and its providers' reports do not agree, newest first
#[utoipa::path(get, path = "/api/v1/reconciliation/differences", tag = "commerce", params(DifferenceParams),
    responses((status = 200, description = "A page of differences", body = Page<DifferenceAnswer>)))]
pub async fn list(
    State(payments): State<Payments>,
    caller: Caller,
    QueryParams(params): QueryParams<DifferenceParams>,
) -> Result<Body<Page<DifferenceAnswer>>, PaymentsError> {
    let after = params.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let is_open = params.state.map(|state| state == DifferenceState::Open);
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let provider = params.provider.as_deref();
    let found = store::list_differences(&mut tx, provider, is_open, after, params.limit.and_one()).await?;
    tx.commit().await?;
    let now = payments.ports.now();
    let page = Page::of(found, params.limit, |last| Cursor::at(last.first_seen_at, last.id));
    Ok(Body(page.map(|difference| DifferenceAnswer::new(difference, now))))
}
