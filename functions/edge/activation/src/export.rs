//! A batch's codes as CSV.

use akademi_api::{Caller, PathParam, Problem, QueryParams};
use akademi_domain::ids::ActivationBatchId;
use akademi_identity::Origin;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::json;
use std::{collections::HashMap, fmt::Write};

use crate::{Activation, store};

/// The most codes of one export.
const MAX_CODES: u32 = 10_000;

/// The query of the export.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportParams {
    /// The number of the first code; 1 unless it is sent.
    #[param(minimum = 1, maximum = 100_000)]
    from: Option<u32>,
    /// The number of the last one, at most 9,999 more; as many as there are unless it is sent.
    #[param(minimum = 1, maximum = 100_000)]
    to: Option<u32>,
}

impl ExportParams {
    /// The first and the last number, in a batch of so many.
    fn range(&self, count: u32) -> Result<(u32, u32), Problem> {
        let from = self.from.unwrap_or(1);
        if !(1..=count).contains(&from) {
            return Err(Problem::field("from", format!("is not 1 to {count}")));
        }
        let last = from.saturating_add(MAX_CODES - 1).min(count);
        let to = self.to.unwrap_or(last);
        if !(from..=last).contains(&to) {
            return Err(Problem::field("to", format!("is not {from} to {last}")));
        }
        Ok((from, to))
    }
}

/// A batch's codes as CSV
///
/// At most 10,000 in one answer; later ones come with `from`. RFC 4180: number, code, and how often it was redeemed. A code
/// is letters, digits and at least three dashes, which no spreadsheet computes. The export stands in the audit log.
#[utoipa::path(get, path = "/api/v1/activation-codes/batches/{batch_id}/codes.csv", tag = "activation codes",
    params(("batch_id" = ActivationBatchId, Path, description = "The batch"), ExportParams),
    responses((status = 200, description = "The codes", body = String, content_type = "text/csv; charset=utf-8",
                headers(("Content-Disposition" = String)))))]
pub async fn export(
    State(activation): State<Activation>,
    caller: Caller,
    origin: Origin,
    PathParam(id): PathParam<ActivationBatchId>,
    QueryParams(params): QueryParams<ExportParams>,
) -> Result<Response, Problem> {
    let database = activation.edge.tenant(caller.tenant);
    let found = store::find_batch(&database, id).await?.ok_or_else(Problem::not_found)?;
    let (from, to) = params.range(found.count)?;
    let used: HashMap<u32, i64> =
        store::list_used_codes(&database, id, from, to).await?.into_iter().collect();
    let mut sheet = "number,code,uses\r\n".to_owned();
    for number in from..=to {
        let code = activation.codes.code(caller.tenant, &found.key, number);
        let uses = used.get(&number).copied().unwrap_or(0);
        write!(sheet, "{number},{code},{uses}\r\n").map_err(Problem::broken)?;
    }
    let change = json!({ "after": { "from": from, "to": to } });
    let audited = activation.audited(&caller, &origin, "activation_batch.exported", id, change).await?;
    database.batch(audited.into()).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"codes.csv\"")),
    ];
    Ok((headers, sheet).into_response())
}
