//! The edge functions by name: the one place where the table's rows meet their crates.

use akademi_api::{
    config::{Config, ConfigError},
    ports::HttpClient,
};
use akademi_edge_store::Edge;
use akademi_functions::{FUNCTIONS, Plane};
use axum::Router;
use std::sync::Arc;

/// The router of the edge function `name`; nothing when this build does not hold it.
///
/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
#[allow(unused_variables, reason = "a component with one function needs one function's arguments")]
pub fn router(
    name: &str,
    edge: &Edge,
    http: &Arc<dyn HttpClient>,
    config: &Config<'_>,
) -> Result<Option<Router>, ConfigError> {
    match name {
        #[cfg(feature = "account")]
        "account" => {
            akademi_account::Account::from_config(edge.clone(), config).map(akademi_account::router).map(Some)
        }
        #[cfg(feature = "activation")]
        "activation" => akademi_activation::Activation::from_config(edge.clone(), config)
            .map(akademi_activation::router)
            .map(Some),
        #[cfg(feature = "assessment")]
        "assessment" => akademi_assessment::Assessment::from_config(edge.clone(), config)
            .map(akademi_assessment::router)
            .map(Some),
        #[cfg(feature = "auth")]
        "auth" => akademi_auth::Auth::from_config(edge.clone(), config).map(akademi_auth::router).map(Some),
        #[cfg(feature = "academies")]
        "academies" => akademi_academies::Academies::from_config(edge.clone(), http.clone(), config)
            .map(akademi_academies::router)
            .map(Some),
        #[cfg(feature = "registration")]
        "registration" => akademi_registration::Registrar::from_config(edge.clone(), http.clone(), config)
            .map(akademi_registration::router)
            .map(Some),
        #[cfg(feature = "people")]
        "people" => akademi_people::People::from_config(edge.clone(), http.clone(), config)
            .map(akademi_people::router)
            .map(Some),
        #[cfg(feature = "catalog")]
        "catalog" => Ok(Some(akademi_catalog::router(akademi_catalog::Catalog::new(edge.clone())))),
        #[cfg(feature = "progress")]
        "progress" => akademi_progress::Progress::from_config(edge.clone(), config)
            .map(akademi_progress::router)
            .map(Some),
        #[cfg(feature = "site")]
        "site" => akademi_site::Site::from_config(edge.clone(), config).map(akademi_site::router).map(Some),
        #[cfg(feature = "playback")]
        "playback" => akademi_playback::Playback::from_config(edge.clone(), config)
            .map(akademi_playback::router)
            .map(Some),
        #[cfg(feature = "coupons")]
        "coupons" => {
            akademi_coupons::Coupons::from_config(edge.clone(), config).map(akademi_coupons::router).map(Some)
        }
        #[cfg(feature = "cart")]
        "cart" => akademi_cart::Cart::from_config(edge.clone(), config).map(akademi_cart::router).map(Some),
        #[cfg(feature = "reviews")]
        "reviews" => {
            akademi_reviews::Reviews::from_config(edge.clone(), config).map(akademi_reviews::router).map(Some)
        }
        #[cfg(feature = "verify")]
        "verify" => {
            akademi_verify::Verify::from_config(edge.clone(), config).map(akademi_verify::router).map(Some)
        }
        #[cfg(feature = "federation")]
        "federation" => akademi_federation::Federation::from_config(edge.clone(), http.clone(), config)
            .map(akademi_federation::router)
            .map(Some),
        #[cfg(feature = "passkeys")]
        "passkeys" => akademi_passkeys::Passkeys::from_config(edge.clone(), http.clone(), config)
            .map(akademi_passkeys::router)
            .map(Some),
        #[cfg(feature = "privacy")]
        "privacy" => akademi_privacy::Privacy::from_config(edge.clone(), http.clone(), config)
            .map(akademi_privacy::router)
            .map(Some),
        #[cfg(feature = "marks")]
        "marks" => {
            akademi_marks::Marks::from_config(edge.clone(), config).map(akademi_marks::router).map(Some)
        }
        #[cfg(feature = "feed")]
        "feed" => akademi_feed_function::Feed::from_config(edge.clone(), config)
            .map(akademi_feed_function::router)
            .map(Some),
        #[cfg(feature = "docs")]
        "docs" => Ok(Some(akademi_docs::router(edge))),
        #[cfg(feature = "origin")]
        "origin" => akademi_origin::Origin::from_config(edge.clone(), http.clone(), config)
            .map(akademi_origin::router)
            .map(Some),
        _ => Ok(None),
    }
}

/// All edge functions of this build as one router, for hosts that run them in one process.
///
/// # Errors
/// [`ConfigError`] naming the variable that is missing or wrong.
pub fn all(edge: &Edge, http: &Arc<dyn HttpClient>, config: &Config<'_>) -> Result<Router, ConfigError> {
    let mut merged = Router::new();
    for function in FUNCTIONS.iter().filter(|function| function.plane == Plane::Edge) {
        if let Some(router) = router(function.name, edge, http, config)? {
            merged = merged.merge(router);
        }
    }
    Ok(merged)
}
