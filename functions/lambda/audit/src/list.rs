//! The log, page by page.

use akademi_api::{
    Body, Caller, Problem, QueryParams,
    paging::{Cursor, Page},
};
use akademi_domain::{
    ids::{AuditId, UserId},
    time::Timestamp,
};
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Audit, AuditError,
    filter::ListParams,
    origin::Origin,
    store::{self, Entry, Position},
};

/// Something that staff did, or that concerns security.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditEntry)]
pub struct EntryAnswer {
    /// Counts the academy's entries, from 1 and without gaps.
    pub number: i64,
    pub id: AuditId,
    pub at: Timestamp,
    /// What was done: `course.published`.
    pub action: String,
    /// Who did it; `null` for what strangers do.
    pub actor: Option<UserId>,
    /// To what: `course:…`, `person:…`.
    pub target: String,
    /// From where; `null` if that is not known, and once the person was erased.
    pub origin: Option<Origin>,
    /// `{"before": …, "after": …}`: the fields that changed.
    #[schema(value_type = Option<Object>)]
    pub change: Option<Value>,
}

/// The audit log, newest first
///
/// What staff wrote and what concerns security. Every parameter that is given must fit.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(ListParams),
    responses((status = 200, description = "A page of entries", body = Page<EntryAnswer>)))]
pub async fn list(
    State(audit): State<Audit>,
    caller: Caller,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Body<Page<EntryAnswer>>, AuditError> {
    let after = params.cursor.as_deref().map(position).transpose()?;
    let (limit, filter) = (params.limit, params.filter()?);
    let mut tx = audit.postgres.tenant(caller.tenant).await?;
    let found = store::newest_entries(&mut tx, &filter, after, limit.and_one()).await?;
    tx.commit().await?;
    let found = Page::of(found, limit, |last| Cursor::at(last.at, last.number));
    let answer = |entry: Entry| EntryAnswer {
        origin: audit.open(caller.tenant, &entry.origin),
        number: entry.number,
        id: entry.id,
        at: entry.at,
        action: entry.action,
        actor: entry.actor,
        target: entry.target,
        change: entry.change,
    };
    Ok(Body(found.map(answer)))
}

fn position(cursor: &str) -> Result<Position, Problem> {
    let (at, number) = Cursor::decode_at(cursor)?;
    Ok(Position { at, number })
}
