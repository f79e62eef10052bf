//! A bucket of S3 as the academies' object storage.

use akademi_lambda_store::{links::Links, objects::Objects};
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use object_store::{
    ClientOptions,
    aws::{AmazonS3, AmazonS3Builder},
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
        HttpService,
    },
};
use std::sync::Arc;

use super::{Aws, presigned::Presigned};
use crate::http_client::Network;

/// A bucket of S3.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<AmazonS3>,
    links: Arc<Presigned>,
}

impl Bucket {
    /// The bucket of this name: on a host of its own, which is nobody else's origin in a browser, or below `endpoint`.
    ///
    /// # Errors
    /// When the endpoint is no URL.
    pub fn new(name: &str, endpoint: Option<&str>, aws: &Aws) -> Result<Self, object_store::Error> {
        let Aws { http, credential, region } = aws;
        let builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_region(region)
            .with_access_key_id(&credential.key_id)
            .with_secret_access_key(&credential.secret_key)
            .with_http_connector(Connector(http.clone()));
        let builder = credential.token.iter().fold(builder, AmazonS3Builder::with_token);
        let (builder, base) = match endpoint.map(|endpoint| endpoint.trim_end_matches('/')) {
            None => (
                builder.with_virtual_hosted_style_request(true),
                format!("https://{name}.s3.{region}.amazonaws.com"),
            ),
            Some(endpoint) => (
                builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://")),
                format!("{endpoint}/{name}"),
            ),
        };
        let links = Presigned::new(base, region.clone(), credential);
        Ok(Self { store: Arc::new(builder.build()?), links: Arc::new(links) })
    }

    pub fn objects(&self) -> Objects {
        Objects::bucket(self.store.clone())
    }

    pub fn links(&self) -> Arc<dyn Links> {
        self.links.clone()
    }
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
