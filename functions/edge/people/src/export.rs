//! The academy's people as a table.

use akademi_api::{Caller, Problem, QueryParams, paging::Cursor};
use akademi_identity::Origin;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::json;

use crate::{
    People,
    csv::{BYTE_ORDER_MARK, line},
    person::PersonEntry,
    store,
};

/// The most people of one answer.
const AT_ONCE: usize = 1000;

/// The query of the export.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportParams {
    /// Only who has this role: a built-in role's name, or an id.
    #[serde(default)]
    #[param(max_length = 36)]
    role: Option<String>,
    /// Only people in this state: `active` or `suspended`.
    #[serde(default)]
    state: Option<store::State>,
    /// Where the part before ended: its `Link` has it.
    #[serde(default)]
    cursor: Option<String>,
}

/// The academy's people as CSV, newest first
///
/// At most 1,000 in one answer: `Link` leads to the next (RFC 8288). RFC 4180 in UTF-8 with a byte order mark; a cell that a
/// spreadsheet would take for a formula has an apostrophe before it. An import takes such a file back. The export stands in
/// the audit log.
#[utoipa::path(get, path = "/api/v1/people.csv", tag = "people", params(ExportParams),
    responses((status = 200, description = "The people", body = String, content_type = "text/csv; charset=utf-8",
                headers(("Link" = String, description = "The next part, if there is one"),
                        ("Content-Disposition" = String)))))]
pub async fn export(
    State(people): State<People>,
    caller: Caller,
    origin: Origin,
    QueryParams(params): QueryParams<ExportParams>,
) -> Result<Response, Problem> {
    let after = params.cursor.as_deref().map(Cursor::decode).transpose()?;
    let database = people.edge.tenant(caller.tenant);
    let wanted = store::Wanted { role: params.role.as_deref(), state: params.state };
    let mut found = store::list_people(&database, &wanted, after, AT_ONCE as i64 + 1).await?;
    let has_more = found.len() > AT_ONCE;
    found.truncate(AT_ONCE);
    let last = found.last().filter(|_| has_more);
    let next = last.map(|last| Cursor { key: last.created_at.as_millis(), id: last.id.to_string() }.encode());
    let rows = found.len();
    let mut sheet =
        BYTE_ORDER_MARK.to_owned() + &line(&["id", "name", "email", "roles", "state", "created_at"]);
    for found in found {
        let person = PersonEntry::open(&people, caller.tenant, found)?;
        sheet += &line(&[
            &person.id.to_string(),
            person.name.as_str(),
            person.email.as_str(),
            &person.roles.join(" "),
            person.state.name(),
            &person.created_at.to_string(),
        ]);
    }
    let change = json!({ "after": { "rows": rows, "role": params.role, "state": params.state,
                                    "is_whole": params.cursor.is_none() && next.is_none() } });
    let academy = format!("academy:{}", caller.tenant);
    let audited = people.audited(&caller, &origin, "people.exported", academy, change).await?;
    database.batch(audited.into()).await?;
    let mut response = sheet.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"people.csv\""));
    if let Some(cursor) = next {
        let mut query = format!("cursor={cursor}");
        // Neither holds anything that an address could not: others find nobody, and so have no next part.
        params.role.iter().for_each(|role| query += &format!("&role={role}"));
        params.state.iter().for_each(|state| query += &format!("&state={}", state.name()));
        let link = format!("</api/v1/people.csv?{query}>; rel=\"next\"");
        headers.insert(header::LINK, HeaderValue::try_from(link).map_err(Problem::broken)?);
    }
    Ok(response)
}
