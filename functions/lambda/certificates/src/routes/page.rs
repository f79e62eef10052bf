//! The certificate as a PDF, rendered for whoever asks and kept nowhere.

use akademi_api::{Caller, PathParam, Problem, problem::ProblemDocument, signed::CallContext};
use akademi_domain::{certificate::CertificateSerial, permission::Permission, time::Timestamp};
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use std::sync::LazyLock;

use super::{
    Certificates,
    store::{self, Academy},
};
use crate::{
    CertificatesError,
    render::{self, Locale, RenderError, Renderer},
};

/// Fonts and template, made by the first request that needs them.
static RENDERER: LazyLock<Result<Renderer, RenderError>> = LazyLock::new(Renderer::new);

/// A PDF file (ISO 32000).
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct Pdf(Vec<u8>);

/// A certificate as a PDF
///
/// For its holder, and for whoever may write certificates. It is PDF/A-2b, one A4 page in landscape, in the academy's
/// language and colour, with its logo if it has one and a QR code of the address where anybody can check it.
#[utoipa::path(get, path = "/api/v1/certificates/{serial}/pdf", tag = "certificates",
    params(("serial" = CertificateSerial, Path, description = "The certificate")),
    responses((status = 200, description = "The page", body = Pdf, content_type = "application/pdf",
                headers(("Content-Disposition" = String))),
              (status = 410, description = "The certificate was revoked, or its holder was erased", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn download(
    State(certificates): State<Certificates>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(serial): PathParam<CertificateSerial>,
) -> Result<Response, CertificatesError> {
    let mut tx = certificates.postgres.tenant(caller.tenant).await?;
    let found = store::find_certificate(&mut tx, serial).await?;
    let academy = store::find_academy(&mut tx).await?;
    let logo = store::find_logo_file(&mut tx).await?;
    tx.commit().await?;
    let certificate = found
        .filter(|found| found.person == caller.user || caller.may(Permission::CertificatesWrite))
        .ok_or_else(Problem::not_found)?;
    if let Some(at) = certificate.revoked_at {
        return Err(revoked(at).into());
    }
    let learner_name = certificates.holder(caller.tenant, &certificate)?.ok_or_else(erased)?;
    let Academy { name, locale, brand_colour } =
        academy.ok_or_else(|| Problem::broken("the academy's face has not come from the edge"))?;
    let verify_url = call.public_url(&format!("/verify/{serial}"))?.to_string();
    // Istanbul's day wherever the academy is: the rules of other zones are more bytes than this function has left.
    let issued_on = certificate.issued_at.day_in_istanbul().date();
    let page = render::Certificate {
        learner_name,
        course_title: certificate.course_title,
        academy_name: name,
        brand_colour: brand_colour.parse().map_err(Problem::broken)?,
        serial,
        issued_on: issued_on.ok_or_else(|| Problem::broken("a day beyond the calendar"))?,
        verify_url: verify_url.parse().map_err(Problem::broken)?,
        logo: certificates.logo(&caller, logo).await,
        locale: if locale == "en" { Locale::En } else { Locale::Tr },
    };
    // Some 3 ms of computing: other requests go on meanwhile.
    let pdf = tokio::task::spawn_blocking(move || {
        let renderer = RENDERER.as_ref().map_err(Problem::broken)?;
        renderer.render(&page).map(Pdf).map_err(Problem::broken)
    });
    let Pdf(bytes) = pdf.await.map_err(Problem::broken)??;
    let file_name = format!("inline; filename=\"certificate-{serial}.pdf\"");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/pdf")),
        (header::CONTENT_DISPOSITION, HeaderValue::try_from(file_name).map_err(Problem::broken)?),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    Ok((headers, bytes).into_response())
}

fn revoked(at: Timestamp) -> Problem {
    let day = at.day_in_istanbul();
    Problem::new(StatusCode::GONE, "certificate-revoked", "The academy revoked this certificate.")
        .with_detail(format!("The academy revoked this certificate on {day}."))
}

fn erased() -> Problem {
    Problem::new(
        StatusCode::GONE,
        "certificate-holder-erased",
        "The holder's personal data was erased, and the name on this certificate with it.",
    )
}
