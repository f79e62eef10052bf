//! The API document says what the code does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use akademi_contract::{document, document_json, is_public, operation, public_routes};
use akademi_functions::ROUTES;
use std::collections::BTreeSet;

#[test]
fn the_committed_document_is_what_the_code_says() {
    let json = document_json().unwrap();
    assert!(akademi_docs::OPENAPI_JSON == json, "openapi.json is stale: run `cargo xtask openapi`");
}

#[test]
fn every_public_route_is_in_the_document_and_nothing_else() {
    let document = document();
    for route in public_routes() {
        let item =
            document.paths.paths.get(route.path).unwrap_or_else(|| panic!("{} is missing", route.path));
        assert!(operation(item, route.method.name()).is_some(), "{} {}", route.method.name(), route.path);
    }
    for (path, item) in &document.paths.paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if operation(item, method).is_some() {
                let row = ROUTES.iter().find(|route| route.path == path && route.method.name() == method);
                assert!(row.is_some_and(is_public), "{method} {path} is documented but no row of the table");
            }
        }
    }
}

#[test]
fn every_schema_that_is_named_is_there() {
    let document = serde_json::to_value(document()).unwrap();
    let text = document.to_string();
    let named: BTreeSet<&str> =
        text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(!named.is_empty());
    for name in named {
        assert!(document["components"]["schemas"].get(name).is_some(), "{name} is named but not described");
    }
}

#[test]
fn it_is_openapi_3_1() {
    let document = serde_json::to_value(document()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}
