//! What the academy's staff see of its invoices.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Limit, Page},
    problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{
    ids::{InvoiceId, JobId, OrderId, RefundId},
    money::Money,
    time::Timestamp,
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    invoices::enqueue_invoice,
};
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Invoices, InvoicesError,
    store::{self, ListedInvoice},
};

/// Where an invoice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// It waits to be issued or handed over.
    Queued,
    /// The academy has not set how it invoices, or the exchange rate of its currency.
    Waiting,
    /// The integrator has taken it over.
    Delivered,
    /// It is not tried again, unless staff say so.
    Failed,
}

impl InvoiceState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The schema lets no other name in.
    pub fn from_name(name: &str) -> Self {
        match name {
            "queued" => Self::Queued,
            "waiting" => Self::Waiting,
            "delivered" => Self::Delivered,
            _ => Self::Failed,
        }
    }
}

/// An invoice, as its academy and its buyer see it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Invoice)]
pub struct InvoiceAnswer {
    pub id: InvoiceId,
    pub order: OrderId,
    /// The refund that it gives back for; `null` for the order's own.
    pub refund: Option<RefundId>,
    pub state: InvoiceState,
    /// Series, year and nine digits; `null` until it is issued.
    #[schema(example = "EDU2026000000001")]
    pub number: Option<String>,
    /// `TEMELFATURA`, `TICARIFATURA` or `EARSIVFATURA`.
    pub profile: Option<String>,
    pub total: Option<Money>,
    /// The VAT inside the total.
    pub vat: Option<Money>,
    pub issued_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
}

/// An invoice as staff see it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = StaffInvoice)]
pub struct StaffInvoiceAnswer {
    #[serde(flatten)]
    pub invoice: InvoiceAnswer,
    pub attempts: i32,
    /// Why the last attempt delivered nothing.
    pub reason: Option<String>,
    pub created_at: Timestamp,
}

impl From<ListedInvoice> for InvoiceAnswer {
    fn from(listed: ListedInvoice) -> Self {
        Self {
            id: listed.id,
            order: listed.order,
            refund: listed.refund,
            state: listed.state,
            number: listed.number,
            profile: listed.profile,
            total: listed.total,
            vat: listed.vat,
            issued_at: listed.issued_at,
            delivered_at: listed.delivered_at,
        }
    }
}

impl From<ListedInvoice> for StaffInvoiceAnswer {
    fn from(listed: ListedInvoice) -> Self {
        let (attempts, reason, created_at) = (listed.attempts, listed.reason.clone(), listed.created_at);
        Self { invoice: listed.into(), attempts, reason, created_at }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// How many entries to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// Where the page before ended: its `next_cursor`.
    #[serde(default)]
    cursor: Option<String>,
    /// Only those in this state.
    #[serde(default)]
    state: Option<InvoiceState>,
}

/// The academy's invoices, newest first
#[utoipa::path(get, path = "/api/v1/invoices", tag = "invoices", params(ListParams),
    responses((status = 200, description = "A page of invoices", body = Page<StaffInvoiceAnswer>)))]
pub async fn list(
    State(invoices): State<Invoices>,
    caller: Caller,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Body<Page<StaffInvoiceAnswer>>, InvoicesError> {
    let after = params.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let mut tx = invoices.postgres.tenant(caller.tenant).await?;
    let found = match params.state {
        None => store::list_invoices(&mut tx, after, params.limit.and_one()).await?,
        Some(state) => store::list_invoices_in_state(&mut tx, state, after, params.limit.and_one()).await?,
    };
    tx.commit().await?;
    let found = Page::of(found, params.limit, |last| Cursor::at(last.created_at, last.id));
    Ok(Body(found.map(StaffInvoiceAnswer::from)))
}

/// An invoice of the academy
#[utoipa::path(get, path = "/api/v1/invoices/{invoice_id}", tag = "invoices",
    params(("invoice_id" = InvoiceId, Path, description = "The invoice")),
    responses((status = 200, description = "The invoice", body = StaffInvoiceAnswer)))]
pub async fn show(
    State(invoices): State<Invoices>,
    caller: Caller,
    PathParam(id): PathParam<InvoiceId>,
) -> Result<Body<StaffInvoiceAnswer>, InvoicesError> {
    let mut tx = invoices.postgres.tenant(caller.tenant).await?;
    let found = store::find_invoice(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(Body(found.into()))
}

/// A UBL-TR document.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String)]
pub struct UblDocument(String);

/// An invoice as UBL-TR
///
/// As it was handed over: not signed.
#[utoipa::path(get, path = "/api/v1/invoices/{invoice_id}/xml", tag = "invoices",
    params(("invoice_id" = InvoiceId, Path, description = "The invoice")),
    responses((status = 200, description = "The document", body = UblDocument, content_type = "application/xml",
                headers(("Content-Disposition" = String))),
              (status = 409, description = "It is not issued yet", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 410, description = "It need not be kept any longer, and is not", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn download(
    State(invoices): State<Invoices>,
    caller: Caller,
    PathParam(id): PathParam<InvoiceId>,
) -> Result<Response, InvoicesError> {
    let mut tx = invoices.postgres.tenant(caller.tenant).await?;
    store::find_invoice(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    let issued = store::find_issued(&mut tx, id).await?.ok_or_else(not_issued)?;
    let record = invoices.record(&mut tx, id, &issued).await?;
    tx.commit().await?;
    Ok(UblDocument(record.xml).under(&issued.number.to_string())?)
}

pub fn not_issued() -> Problem {
    Problem::new(StatusCode::CONFLICT, "not-issued", "The invoice is not issued yet: try again later.")
}

impl UblDocument {
    pub const fn new(xml: String) -> Self {
        Self(xml)
    }

    /// As a file of this name.
    pub fn under(self, number: &str) -> Result<Response, Problem> {
        let file_name = format!("attachment; filename=\"{number}.xml\"");
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/xml")),
            (header::CONTENT_DISPOSITION, HeaderValue::try_from(file_name).map_err(Problem::broken)?),
            (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        ];
        Ok((headers, self.0).into_response())
    }
}

/// Issue or hand over an invoice again
///
/// One that failed or waits for settings, from now on for another three days. What is issued keeps its number.
#[utoipa::path(post, path = "/api/v1/invoices/{invoice_id}/retry", tag = "invoices",
    params(("invoice_id" = InvoiceId, Path, description = "The invoice")),
    responses((status = 202, description = "It is tried again", body = StaffInvoiceAnswer),
              (status = 409, description = "It has not failed", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn retry(
    State(invoices): State<Invoices>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<InvoiceId>,
) -> Result<(StatusCode, Body<StaffInvoiceAnswer>), InvoicesError> {
    let now = invoices.ports.now();
    let mut tx = invoices.postgres.tenant(caller.tenant).await?;
    let before = store::lock_state(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    if !matches!(before, InvoiceState::Failed | InvoiceState::Waiting) {
        let detail = "The invoice has not failed: there is nothing to try again.";
        return Err(Problem::new(StatusCode::CONFLICT, "not-failed", detail).into());
    }
    store::queue_again(&mut tx, id, now).await?;
    enqueue_invoice(&mut tx, id, JobId::new(now, invoices.ports.random()), now).await?;
    let found = store::find_invoice(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    let retried = Write {
        action: Action::InvoiceRetried,
        target: format!("invoice:{id}"),
        before: json!({ "state": before }),
        after: json!({ "state": InvoiceState::Queued }),
    };
    invoices.auditor.record(&mut tx, Actor::new(&caller, &call), retried).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Body(found.into())))
}
