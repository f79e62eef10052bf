//! The cases as a Spin component.

use akademi_edge_store::spin::SpinDatabase;
use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    crate::answer(request.uri().path(), &SpinDatabase).await
}
