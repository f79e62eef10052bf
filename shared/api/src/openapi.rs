//! What the OpenAPI document says of every route alike: security and the problems that the gate answers.

use akademi_functions::{Access, ROUTES};
use utoipa::openapi::{
    Content, OpenApi, Ref, RefOr, ResponseBuilder,
    path::Operation,
    schema::Schema,
    security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
};
use utoipa::{PartialSchema, ToSchema};

use crate::{
    authorization::ACCESS_COOKIE,
    problem::{FieldError, ProblemDocument},
};

/// Adds to `document` the bearer scheme, each operation's security by the table of routes, and the problem
/// answers that every route can give.
pub fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    components
        .security_schemes
        .insert("bearer".into(), SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)).into());
    components.security_schemes.insert(
        "cookie".into(),
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            ACCESS_COOKIE,
            "A browser's. What writes is taken from pages of the academy's own host only.",
        )))
        .into(),
    );
    let schema = |schema: RefOr<Schema>| schema;
    components.schemas.insert("Problem".into(), schema(ProblemDocument::schema()));
    components.schemas.insert(FieldError::name().into_owned(), schema(FieldError::schema()));
    for route in ROUTES {
        let Some(item) = document.paths.paths.get_mut(route.path) else { continue };
        let operation = match route.method.name() {
            "GET" => item.get.as_mut(),
            "POST" => item.post.as_mut(),
            "PUT" => item.put.as_mut(),
            "PATCH" => item.patch.as_mut(),
            _ => item.delete.as_mut(),
        };
        let Some(operation) = operation else { continue };
        if let Access::Needs(permission) = route.access {
            let note = format!("Needs the permission `{}`.", permission.name());
            let description = operation.description.get_or_insert_default();
            if !description.is_empty() {
                description.push_str("\n\n");
            }
            description.push_str(&note);
        }
        if matches!(route.access, Access::Needs(_)) {
            problem(operation, "403", "The permission is missing");
        }
        if route.steps_up {
            problem(
                operation,
                "403",
                "It is too long ago that you proved who you are: see /api/v1/auth/step-up",
            );
        }
        match route.access {
            Access::Public | Access::AnyHost | Access::OtherPlane | Access::Provider => {}
            Access::GuestOrSignedIn | Access::SignedIn | Access::Needs(_) => {
                let mut either: Vec<_> = ["bearer", "cookie"]
                    .map(|scheme| SecurityRequirement::new(scheme, [] as [&str; 0]))
                    .into();
                let is_optional = route.access == Access::GuestOrSignedIn;
                // An empty requirement is how the document says so.
                either.extend(is_optional.then(SecurityRequirement::default));
                operation.security = Some(either);
                if route.method.name() != "GET" {
                    problem(operation, "403", "A browser's cookie, sent by another site's page");
                }
                let refused = if is_optional {
                    "An access token that is expired or not valid here"
                } else {
                    "No access token, or one that is expired or not valid here"
                };
                problem(operation, "401", refused);
            }
        }
        if route.access != Access::AnyHost {
            problem(operation, "404", "Nothing is here, or no academy answers on this host");
        }
        if operation.request_body.is_some() {
            problem(operation, "400", "The body is not well-formed");
            problem(operation, "413", "The body is too large");
            problem(operation, "415", "The body's media type is not taken");
        }
        if operation.request_body.is_some() || operation.parameters.is_some() {
            problem(operation, "422", "Some fields are not as they must be");
        }
        if route.own_entry {
            problem(operation, "429", "Too many attempts from one address");
        }
        problem(operation, "431", "The headers are larger than 32 KB together");
        problem(operation, "500", "Something broke on our side");
        problem(operation, "503", "The service is busy or a part of it is down");
    }
}

fn problem(operation: &mut Operation, status: &str, description: &str) {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    operation.responses.responses.entry(status.to_owned()).or_insert_with(|| {
        ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", content)
            .build()
            .into()
    });
}
