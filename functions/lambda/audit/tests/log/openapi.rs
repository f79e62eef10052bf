//! The document and the table of routes name the same routes.

use akademi_audit::ApiDoc;
use akademi_functions::ROUTES;
use std::collections::BTreeSet;
use utoipa::OpenApi;

#[test]
fn every_route_is_documented_and_no_other() {
    let document = serde_json::to_value(ApiDoc::openapi()).unwrap();
    let documented: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let routes: BTreeSet<_> = ROUTES
        .iter()
        .filter(|route| route.function == "audit")
        .map(|route| (route.method.name().to_owned(), route.path.to_owned()))
        .collect();
    assert_eq!(documented, routes);
    assert_eq!(routes.len(), 2);
}
