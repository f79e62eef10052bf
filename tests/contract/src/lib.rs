//! The API document, put together from all functions.

use akademi_functions::{Access, ROUTES, Route};
use utoipa::{
    OpenApi,
    openapi::{InfoBuilder, OpenApiBuilder, PathItem, path::Operation},
};

/// The whole API as OpenAPI 3.1.
pub fn document() -> utoipa::openapi::OpenApi {
    let info = InfoBuilder::new()
        .title("Akademi")
        .version("1")
        .description(Some(
            "The API of an academy, on the academy's own host. Errors are RFC 9457 problem details; lists take \
             `limit` and `cursor`; times are RFC 3339 in UTC; ids are UUIDs.",
        ))
        .build();
    let mut document = OpenApiBuilder::new().info(info).build();
    for part in [
        akademi_account::ApiDoc::openapi(),
        akademi_auth::ApiDoc::openapi(),
        akademi_people::ApiDoc::openapi(),
        akademi_registration::ApiDoc::openapi(),
        akademi_privacy::ApiDoc::openapi(),
        akademi_academies::ApiDoc::openapi(),
        akademi_activation::ApiDoc::openapi(),
        akademi_federation::ApiDoc::openapi(),
        akademi_passkeys::ApiDoc::openapi(),
        akademi_catalog::ApiDoc::openapi(),
        akademi_progress::ApiDoc::openapi(),
        akademi_assessment::ApiDoc::openapi(),
        akademi_marks::ApiDoc::openapi(),
        akademi_coupons::ApiDoc::openapi(),
        akademi_cart::ApiDoc::openapi(),
        akademi_playback::ApiDoc::openapi(),
        akademi_site::ApiDoc::openapi(),
        akademi_reviews::ApiDoc::openapi(),
        akademi_verify::ApiDoc::openapi(),
        akademi_authoring::ApiDoc::openapi(),
        akademi_payments::ApiDoc::openapi(),
        akademi_certificates::ApiDoc::openapi(),
        akademi_etl::ApiDoc::openapi(),
        akademi_audit::ApiDoc::openapi(),
        akademi_identity_providers::ApiDoc::openapi(),
        akademi_images::ApiDoc::openapi(),
        akademi_invoices::ApiDoc::openapi(),
        akademi_mail::ApiDoc::openapi(),
        akademi_origin::ApiDoc::openapi(),
        akademi_docs::ApiDoc::openapi(),
    ] {
        document.merge(part);
    }
    akademi_api::openapi::complete(&mut document);
    document
}

/// The document as it stands in the repository.
///
/// # Errors
/// When it does not serialise.
pub fn document_json() -> anyhow::Result<String> {
    Ok(document().to_pretty_json()? + "\n")
}

/// Whether others call the route: the calls between the planes are no part of the API.
pub fn is_public(route: &Route) -> bool {
    route.access != Access::OtherPlane
}

/// The rows that the document must describe.
pub fn public_routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| is_public(route))
}

/// The operation of a path that answers `method`.
pub fn operation<'a>(item: &'a PathItem, method: &str) -> Option<&'a Operation> {
    match method {
        "GET" => item.get.as_ref(),
        "POST" => item.post.as_ref(),
        "PUT" => item.put.as_ref(),
        "PATCH" => item.patch.as_ref(),
        "DELETE" => item.delete.as_ref(),
        _ => None,
    }
}
