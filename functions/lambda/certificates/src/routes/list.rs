//! The academy's certificates.

use akademi_api::{
    Body, Caller, Problem, QueryParams,
    paging::{Cursor, Limit, Page},
};
use akademi_domain::{certificate::CertificateSerial, ids::CourseId, time::Timestamp};
use axum::extract::State;
use serde::Deserialize;

use super::{CertificateAnswer, Certificates, store};
use crate::CertificatesError;

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
    /// Of this course only.
    #[serde(default)]
    course_id: Option<CourseId>,
}

/// The academy's certificates, newest first
#[utoipa::path(get, path = "/api/v1/certificates", tag = "certificates", params(ListParams),
    responses((status = 200, description = "A page of certificates", body = Page<CertificateAnswer>)))]
pub async fn list(
    State(certificates): State<Certificates>,
    caller: Caller,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Body<Page<CertificateAnswer>>, CertificatesError> {
    let after = params.cursor.as_deref().map(position).transpose()?;
    let limit = params.limit.get();
    let mut tx = certificates.postgres.tenant(caller.tenant).await?;
    let mut found = match params.course_id {
        None => store::list_certificates(&mut tx, after, limit + 1).await?,
        Some(course) => store::list_certificates_of_course(&mut tx, course, after, limit + 1).await?,
    };
    tx.commit().await?;
    let has_more = found.len() as i64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_cursor = found
        .last()
        .filter(|_| has_more)
        .map(|last| Cursor { key: last.issued_at.as_millis(), id: last.serial.to_string() }.encode());
    let data = found.into_iter().map(|found| certificates.answer(caller.tenant, found)).collect();
    Ok(Body(Page { data, next_cursor }))
}

fn position(cursor: &str) -> Result<(Timestamp, CertificateSerial), Problem> {
    let cursor = Cursor::decode(cursor)?;
    let serial = cursor.id.parse().map_err(|_| Problem::field("cursor", "is not a cursor of this list"))?;
    Ok((Timestamp::from_millis(cursor.key), serial))
}
