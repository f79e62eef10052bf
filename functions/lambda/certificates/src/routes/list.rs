//! The academy's certificates.

use akademi_api::{
    Body, Caller, QueryParams,
    paging::{Cursor, Limit, Page},
};
use akademi_domain::ids::CourseId;
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
    let after = params.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let mut tx = certificates.postgres.tenant(caller.tenant).await?;
    let found = match params.course_id {
        None => store::list_certificates(&mut tx, after, params.limit.and_one()).await?,
        Some(course) => {
            store::list_certificates_of_course(&mut tx, course, after, params.limit.and_one()).await?
        }
    };
    tx.commit().await?;
    let found = Page::of(found, params.limit, |last| Cursor::at(last.issued_at, last.serial));
    Ok(Body(found.map(|found| certificates.answer(caller.tenant, found))))
}
