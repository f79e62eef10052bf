//! The host's HTTP client as providers want it.

use akademi_api::ports;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use std::sync::Arc;

use crate::provider::{HttpClient, HttpError};

pub struct Outgoing(pub Arc<dyn ports::HttpClient>);

impl HttpClient for Outgoing {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, HttpError>> {
        // The port does not say how far the request got.
        Box::pin(
            async move { self.0.send(request).await.map_err(|error| HttpError::NoAnswer(error.to_string())) },
        )
    }
}
