//! A bucket of S3 as the academies' object storage.

use akademi_lambda_store::objects::Objects;
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use object_store::{
    ClientOptions,
    aws::AmazonS3Builder,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
        HttpService,
    },
};
use std::sync::Arc;

use crate::http_client::Network;

/// The bucket of this name, in the function's own region and role.
///
/// # Errors
/// When a variable that Lambda sets is wrong.
pub fn bucket(name: &str, http: Arc<Network>) -> Result<Objects, object_store::Error> {
    let store =
        AmazonS3Builder::from_env().with_bucket_name(name).with_http_connector(Connector(http)).build()?;
    Ok(Objects::new(Arc::new(store)))
}

/// Gives the store this process's client: a second one would bring a TLS library of its own.
struct Connector(Arc<Network>);

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    /// Timeouts and TLS are those of the process's client.
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Connector(self.0.clone())))
    }
}

impl HttpService for Connector {
    fn call<'a, 'b>(&'a self, request: HttpRequest) -> BoxFuture<'b, Result<HttpResponse, HttpError>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body: Bytes = body.collect().await?.to_bytes();
            let request = http::Request::from_parts(parts, Full::new(body));
            let response = self.0.client.request(request).await.map_err(|error| {
                let kind =
                    if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Interrupted };
                HttpError::new(kind, error)
            })?;
            let broken_off = |error| HttpError::new(HttpErrorKind::Interrupted, error);
            Ok(response.map(|body| HttpResponseBody::new(body.map_err(broken_off))))
        })
    }
}
