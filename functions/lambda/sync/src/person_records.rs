//! `POST /internal/person-records`: what this plane keeps of somebody who asks for all of it at the edge.

use akademi_api::{Body, Problem, signed::CallContext};
use akademi_domain::{certificate::HOLDER_FIELD, ids::UserId};
use akademi_lambda_store::{audit::ORIGIN_FIELD, error::StoreError, invoices::INVOICE_DETAILS_FIELD};
use akademi_seal::PersonKey;
use axum::{Extension, extract::State};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    routes::Doors,
    store::{self, RECORDS},
};

/// The tables that are told of.
pub fn tables() -> impl Iterator<Item = &'static str> {
    RECORDS.iter().map(|(table, _)| *table)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsWanted {
    person: UserId,
}

pub async fn tell(
    State(Doors { sync, .. }): State<Doors>,
    Extension(call): Extension<CallContext>,
    Body(wanted): Body<RecordsWanted>,
) -> Result<Body<Map<String, Value>>, Problem> {
    let tenant = call.tenant.ok_or_else(Problem::not_found)?;
    let mut tx = sync.postgres.tenant(tenant).await.map_err(unread)?;
    let wrapped = store::find_person_key(&mut tx, wanted.person).await.map_err(unread)?;
    let key = wrapped.map(|wrapped| sync.vault.unwrap_key(tenant, wanted.person, &wrapped)).transpose();
    let key = key.map_err(Problem::broken)?;
    let mut records = Map::new();
    for (table, statement) in RECORDS {
        let mut rows = store::list_records(&mut tx, statement, wanted.person).await.map_err(unread)?;
        let field = match *table {
            "certificate" => HOLDER_FIELD,
            "mail" => "mail",
            "invoice_details" => INVOICE_DETAILS_FIELD,
            _ => ORIGIN_FIELD,
        };
        for row in &mut rows {
            open(row, wanted.person, key.as_ref(), field)?;
        }
        records.insert((*table).to_owned(), Value::Array(rows));
    }
    tx.commit().await.map_err(unread)?;
    Ok(Body(records))
}

fn unread(error: StoreError) -> Problem {
    if error.retryable() {
        Problem::unavailable().retry_after(1).because(error.with_source())
    } else {
        Problem::broken(error.with_source())
    }
}

/// Puts what is sealed in the place of its bytes.
fn open(row: &mut Value, person: UserId, key: Option<&PersonKey>, field: &str) -> Result<(), Problem> {
    let Some(row) = row.as_object_mut() else { return Ok(()) };
    let (Some(Value::String(sealed)), Some(key)) = (row.remove("sealed"), key) else { return Ok(()) };
    if sealed.is_empty() {
        return Ok(());
    }
    let sealed = hex::decode(sealed).map_err(Problem::broken)?;
    let plain = key.open(person, field, &sealed).map_err(Problem::broken)?;
    let opened = serde_json::from_slice(&plain)
        .unwrap_or_else(|_| String::from_utf8_lossy(&plain).into_owned().into());
    row.insert(field.to_owned(), opened);
    Ok(())
}
