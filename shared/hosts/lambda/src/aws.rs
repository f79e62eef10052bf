//! Calls to AWS: signed with the credentials that Lambda gives to the process (AWS Signature Version 4).

mod presigned;
mod s3;

use akademi_api::ports::{HttpClient, Unreachable};
use bytes::Bytes;
use http::Request;
use object_store::{
    aws::{AwsAuthorizer, AwsCredential},
    client::HttpRequest,
};
use std::{env, sync::Arc};

use crate::http_client::Network;

pub use s3::Bucket;

/// A variable that Lambda itself sets is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CredentialsError(pub String);

/// AWS, in the function's own region and role.
#[derive(Clone)]
pub struct Aws {
    http: Arc<Network>,
    credential: Arc<AwsCredential>,
    region: String,
}

impl Aws {
    /// The credentials stay the same for the life of an instance.
    ///
    /// # Errors
    /// [`CredentialsError`] naming the variable that Lambda did not set.
    pub fn from_environment(http: Arc<Network>) -> Result<Self, CredentialsError> {
        let set = |name: &str| env::var(name).map_err(|_| CredentialsError(format!("Lambda set no {name}")));
        let credential = AwsCredential {
            key_id: set("AWS_ACCESS_KEY_ID")?,
            secret_key: set("AWS_SECRET_ACCESS_KEY")?,
            token: env::var("AWS_SESSION_TOKEN").ok(),
        };
        Ok(Self::new(http, credential, set("AWS_REGION")?))
    }

    pub fn new(http: Arc<Network>, credential: AwsCredential, region: String) -> Self {
        Self { http, credential: Arc::new(credential), region }
    }

    /// Sends `request` to `service`, signed now.
    ///
    /// # Errors
    /// [`Unreachable`] when no whole answer came.
    pub async fn call(
        &self,
        service: &str,
        request: Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Unreachable> {
        let (parts, body) = request.into_parts();
        let mut signed = HttpRequest::from_parts(parts, body.clone().into());
        AwsAuthorizer::new(&self.credential, service, &self.region)
            .try_authorize(&mut signed, None)
            .map_err(|error| Unreachable(error.to_string()))?;
        self.http.send(signed.map(|_| body)).await
    }
}
