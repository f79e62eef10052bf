//! The log as CSV (RFC 4180) that spreadsheets open: UTF-8 with a byte order mark, no cell that they would compute.

use akademi_api::{Caller, Problem, QueryParams, signed::CallContext};
use akademi_domain::ids::TenantId;
use akademi_lambda_store::audit::{Action, Actor, Write};
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use csv::{Terminator, WriterBuilder};
use http::{HeaderName, HeaderValue, header};
use serde_json::{Value, json};
use std::borrow::Cow;

use crate::{
    Audit, AuditError,
    filter::ExportParams,
    store::{self, Entry, Position},
};

/// The most entries of an export.
pub const MAX_ROWS: usize = 10_000;
/// What passes between the planes, less what the headers take.
const MAX_BYTES: usize = 3_900_000;
/// How many entries are read at once.
const AT_ONCE: i64 = 1000;
/// Without it Excel takes UTF-8 for the system's own encoding.
const BYTE_ORDER_MARK: &str = "\u{feff}";
const TRUNCATED: HeaderName = HeaderName::from_static("akademi-truncated");
const COLUMNS: [&str; 11] =
    ["number", "at", "action", "actor", "target", "address", "device", "country", "before", "after", "id"];

/// The audit log as CSV, newest first
///
/// At most 10,000 entries, and at most 3.9 MB: `Akademi-Truncated` says whether that left some out, which an earlier
/// `to` brings. RFC 4180 in UTF-8 with a byte order mark; a cell that a spreadsheet would take for a formula has an
/// apostrophe before it. The export is an entry of the log itself.
#[utoipa::path(get, path = "/api/v1/audit.csv", tag = "audit", params(ExportParams),
    responses((status = 200, description = "The entries", body = String, content_type = "text/csv; charset=utf-8",
                headers(("Akademi-Truncated" = bool, description = "Whether there are more entries than these"),
                        ("Content-Disposition" = String)))))]
pub async fn export(
    State(audit): State<Audit>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    QueryParams(params): QueryParams<ExportParams>,
) -> Result<Response, AuditError> {
    let filter = params.filter()?;
    let mut sheet = Sheet::new()?;
    let mut tx = audit.postgres.tenant(caller.tenant).await?;
    let mut after = None;
    let truncated = loop {
        let batch = store::newest_entries(&mut tx, &filter, after, AT_ONCE).await?;
        let is_last = (batch.len() as i64) < AT_ONCE;
        after = batch.last().map(|last| Position { at: last.at, number: last.number }).or(after);
        let mut is_full = false;
        for entry in batch {
            if !sheet.add(&audit, caller.tenant, entry)? {
                is_full = true;
                break;
            }
        }
        if is_full || is_last {
            break is_full;
        }
    };
    let exported = Write {
        action: Action::AuditExported,
        target: format!("academy:{}", caller.tenant),
        before: Value::Null,
        after: json!({ "filter": filter, "rows": sheet.rows, "truncated": truncated }),
    };
    audit.auditor.record(&mut tx, Actor::new(&caller, &call), exported).await?;
    tx.commit().await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"audit.csv\"")),
        (TRUNCATED, HeaderValue::from_static(if truncated { "true" } else { "false" })),
    ];
    Ok((headers, sheet.text).into_response())
}

/// The export as far as it is written.
struct Sheet {
    text: String,
    rows: usize,
}

impl Sheet {
    fn new() -> Result<Self, Problem> {
        let columns = line(&COLUMNS.map(Cow::from))?;
        Ok(Self { text: format!("{BYTE_ORDER_MARK}{columns}"), rows: 0 })
    }

    /// Whether there was room for the entry.
    fn add(&mut self, audit: &Audit, tenant: TenantId, entry: Entry) -> Result<bool, Problem> {
        if self.rows == MAX_ROWS {
            return Ok(false);
        }
        let origin = audit.open(tenant, &entry.origin).unwrap_or_default();
        let part = |name| match entry.change.as_ref().and_then(|change| change.get(name)) {
            None | Some(Value::Null) => String::new(),
            Some(part) => part.to_string(),
        };
        let cells = [
            entry.number.to_string(),
            entry.at.to_string(),
            entry.action,
            entry.actor.map(String::from).unwrap_or_default(),
            entry.target,
            origin.address.unwrap_or_default(),
            origin.device.unwrap_or_default(),
            origin.country.unwrap_or_default(),
            part("before"),
            part("after"),
            entry.id.to_string(),
        ];
        let row = line(&cells.map(|cell| Cow::from(defused(cell))))?;
        if self.text.len() + row.len() > MAX_BYTES {
            return Ok(false);
        }
        self.text.push_str(&row);
        self.rows += 1;
        Ok(true)
    }
}

/// The cell as text, also where a spreadsheet would compute what it says (CSV injection, CWE-1236).
fn defused(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell }
}

fn line(cells: &[Cow<'_, str>]) -> Result<String, Problem> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells.iter().map(|cell| cell.as_bytes())).map_err(Problem::broken)?;
    let bytes = writer.into_inner().map_err(Problem::broken)?;
    String::from_utf8(bytes).map_err(Problem::broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_a_spreadsheet_would_compute_is_text_and_a_line_is_as_rfc_4180_has_it() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(defused(formula.into()), format!("'{formula}"));
        }
        assert_eq!(defused("course:1".into()), "course:1");
        let cells = ["a", "b,c", "d \"e\"", "f\r\ng", "", "ış"].map(Cow::from);
        assert_eq!(line(&cells).unwrap(), "a,\"b,c\",\"d \"\"e\"\"\",\"f\r\ng\",,ış\r\n");
    }
}
