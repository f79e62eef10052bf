//! All that is kept of somebody, for themselves: of this plane and of the other.

use akademi_api::{
    Body, Caller, Problem,
    caller::RequestId,
    plane_client::PlaneCall,
    signed::{CallContext, Purpose},
};
use akademi_domain::{certificate::HOLDER_FIELD, ids::UserId, time::Timestamp};
use akademi_identity::{Origin, audit, consent, key_of, passkey::PASSKEY_NAME};
use akademi_seal::PersonKey;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, uri::PathAndQuery};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    Privacy,
    store::{self, RECORDS},
};

const TARGET: PathAndQuery = PathAndQuery::from_static("/internal/person-records");

/// The tables of this plane that are told of.
pub fn tables() -> impl Iterator<Item = &'static str> {
    RECORDS.iter().map(|(table, _)| *table)
}

/// All that an academy keeps of a person.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PersonExport {
    person: UserId,
    exported_at: Timestamp,
    /// Account, consents, learning: by the name of what is kept, a list of each.
    #[schema(value_type = Object)]
    account: Map<String, Value>,
    /// The academy's books: orders, mail, certificates, what the person did as the audit log tells it.
    #[schema(value_type = Object)]
    books: Map<String, Value>,
    /// Paths of the person's files on this host.
    files: Vec<String>,
}

/// Export one's data
///
/// Everything that the academy keeps of the caller, as one JSON document; files stand in it by their paths.
#[utoipa::path(get, path = "/api/v1/users/me/export", tag = "privacy",
    responses((status = 200, description = "All of it", body = PersonExport),
              (status = 503, description = "A part of it cannot be had at the moment", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn export(
    State(privacy): State<Privacy>,
    caller: Caller,
    origin: Origin,
    request: RequestId,
) -> Result<([(HeaderName, HeaderValue); 1], Body<PersonExport>), Problem> {
    let now = privacy.edge.ports.now();
    let database = privacy.edge.tenant(caller.tenant);
    let key = key_of(&database, &privacy.vault, &caller).await?;
    let mut account = Map::new();
    for (table, statement) in RECORDS {
        let mut rows = store::list_records(&database, *statement, caller.user).await?;
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            open(row, table, caller.user, key.as_ref())?;
            tell_times(row);
        }
        account.insert((*table).to_owned(), Value::Array(rows));
    }
    let mut books = privacy.books(&caller, request).await?;
    for rows in books.values_mut().filter_map(Value::as_array_mut) {
        rows.iter_mut().filter_map(Value::as_object_mut).for_each(tell_times);
    }
    let (by, target) = ((&caller, &origin), audit::person(caller.user));
    let entry =
        audit::by_staff(&privacy.edge, &privacy.vault, by, "person.exported", target, json!({})).await?;
    database.batch(entry.into()).await?;
    let files = files(&account, &books);
    let export = PersonExport { person: caller.user, exported_at: now, account, books, files };
    let name = HeaderValue::from_static("attachment; filename=\"akademi.json\"");
    Ok(([(header::CONTENT_DISPOSITION, name)], Body(export)))
}

impl Privacy {
    /// What the other plane keeps of the caller.
    async fn books(&self, caller: &Caller, RequestId(id): RequestId) -> Result<Map<String, Value>, Problem> {
        let context =
            CallContext { request_id: id.to_string(), tenant: Some(caller.tenant), ..CallContext::default() };
        let wanted = json!({ "person": caller.user });
        let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let call = PlaneCall {
            purpose: Purpose::Wake,
            method: Method::POST,
            target: TARGET,
            headers: HeaderMap::from_iter([json]),
            body: Bytes::from(wanted.to_string()),
            context: &context,
        };
        let answer = self.lambda.call(call, self.edge.ports.now()).await?;
        match answer.status() {
            StatusCode::OK => serde_json::from_slice(answer.body()).map_err(Problem::broken),
            status => Err(Problem::unavailable().retry_after(5).because(status)),
        }
    }
}

/// Puts what is sealed in the place of its bytes.
fn open(
    row: &mut Map<String, Value>,
    table: &str,
    person: UserId,
    key: Option<&PersonKey>,
) -> Result<(), Problem> {
    let field = match table {
        "person" => "profile",
        "consent" => consent::ORIGIN_FIELD,
        "passkey" => PASSKEY_NAME,
        "address" => "address",
        _ => HOLDER_FIELD,
    };
    let (Some(Value::String(sealed)), Some(key)) = (row.remove("sealed"), key) else { return Ok(()) };
    if sealed.is_empty() {
        return Ok(());
    }
    let sealed = hex::decode(sealed).map_err(Problem::broken)?;
    let plain = key.open(person, field, &sealed).map_err(Problem::broken)?;
    let opened = serde_json::from_slice(&plain)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&plain).into_owned()));
    row.insert(field.to_owned(), opened);
    Ok(())
}

/// Moments as the API writes them: the stores keep milliseconds.
fn tell_times(row: &mut Map<String, Value>) {
    for (name, value) in row {
        if (name == "at" || name.ends_with("_at"))
            && let Some(millis) = value.as_i64()
        {
            *value = Value::String(Timestamp::from_millis(millis).to_string());
        }
        if let Some(rows) = value.as_array_mut() {
            rows.iter_mut().filter_map(Value::as_object_mut).for_each(tell_times);
        }
    }
}

/// Certificates, which are printed when they are asked for unless they were taken back, and issued invoices.
fn files(account: &Map<String, Value>, books: &Map<String, Value>) -> Vec<String> {
    let certificates = rows(account, "certificate");
    let valid = certificates.filter(|certificate| certificate.get("revoked_at").is_none_or(Value::is_null));
    let serials = valid.filter_map(|certificate| certificate.get("serial").and_then(Value::as_str));
    let pdfs = serials.map(|serial| format!("/api/v1/certificates/{serial}/pdf"));
    let documents = rows(books, "invoice").filter_map(|invoice| {
        let text = |field| invoice.get(field).and_then(Value::as_str);
        let (order, id) = text("order_id").zip(text("id"))?;
        let is_readable = invoice.get("is_readable") == Some(&Value::Bool(true));
        is_readable.then(|| format!("/api/v1/orders/{order}/invoices/{id}/xml"))
    });
    pdfs.chain(documents).collect()
}

fn rows<'a>(of: &'a Map<String, Value>, table: &str) -> impl Iterator<Item = &'a Value> {
    of.get(table).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_wherever_they_stand_and_numbers_stay() {
        let mut row = json!({ "at": 0, "seconds": 7, "paid_at": null, "lines": [{ "created_at": 1000 }] });
        tell_times(row.as_object_mut().unwrap());
        let told = json!({ "at": "1970-01-01T00:00:00Z", "seconds": 7, "paid_at": null,
                           "lines": [{ "created_at": "1970-01-01T00:00:01Z" }] });
        assert_eq!(row, told);
    }
}
