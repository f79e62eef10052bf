//! A posted form: `application/x-www-form-urlencoded`, as all of PayTR's calls and both pages' are.

use std::collections::HashMap;

use axum::{
    extract::{FromRequest, Request},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{StatusCode, header};

pub(crate) struct Form(HashMap<String, String>);

impl Form {
    /// The field's value as it was sent; empty if it was not.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The fields' values one after the other, as signatures take them.
    pub(crate) fn concatenated(&self, names: &[&str]) -> String {
        names.iter().map(|name| self.text(name)).collect()
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded")) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response());
        }
        let body =
            Bytes::from_request(request, state).await.map_err(axum::response::IntoResponse::into_response)?;
        serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| StatusCode::BAD_REQUEST.into_response())
    }
}
