//! What Lambda's `identity` is asked.

use akademi_api::{
    Academy, Problem,
    caller::RequestId,
    federation::{Authorization, AuthorizationWanted, Claims, Deletion, DeletionWanted, ExchangeWanted},
    plane_client::PlaneCall,
    signed::{CallContext, Purpose},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri::PathAndQuery};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Federation, deletion::callback_refused};

impl Federation {
    /// Where a browser is to be sent.
    ///
    /// # Errors
    /// `not-found` for a provider that the academy has not; `unavailable` when nobody can be asked.
    pub async fn authorization(
        &self,
        academy: &Academy,
        request: &RequestId,
        wanted: &AuthorizationWanted,
    ) -> Result<Authorization, Problem> {
        self.ask("/internal/identity/authorize", academy, request, wanted).await
    }

    /// Whom a code stands for.
    ///
    /// # Errors
    /// As [`Federation::authorization`], and `provider-refused` when the provider does not vouch for anybody.
    pub async fn claims(
        &self,
        academy: &Academy,
        request: &RequestId,
        wanted: &ExchangeWanted,
    ) -> Result<Claims, Problem> {
        self.ask("/internal/identity/exchange", academy, request, wanted).await
    }

    /// Whose data is to be deleted.
    ///
    /// # Errors
    /// As [`Federation::authorization`], and `callback-refused` for what the provider has not signed.
    pub async fn deletion(
        &self,
        academy: &Academy,
        request: &RequestId,
        wanted: &DeletionWanted,
    ) -> Result<Deletion, Problem> {
        self.ask("/internal/identity/deletion", academy, request, wanted).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        path: &'static str,
        academy: &Academy,
        RequestId(request_id): &RequestId,
        wanted: &impl Serialize,
    ) -> Result<T, Problem> {
        let context = CallContext {
            request_id: request_id.to_string(),
            tenant: Some(academy.id),
            ..CallContext::default()
        };
        let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let call = PlaneCall {
            purpose: Purpose::Wake,
            method: Method::POST,
            target: PathAndQuery::from_static(path),
            headers: HeaderMap::from_iter([json]),
            body: Bytes::from(serde_json::to_vec(wanted).map_err(Problem::broken)?),
            context: &context,
        };
        let answer = self.lambda.call(call, self.edge.ports.now()).await?;
        match answer.status() {
            StatusCode::OK => serde_json::from_slice(answer.body()).map_err(Problem::broken),
            StatusCode::NOT_FOUND => Err(Problem::not_found()),
            StatusCode::FORBIDDEN => Err(provider_refused()),
            StatusCode::BAD_REQUEST => Err(callback_refused()),
            status => Err(Problem::unavailable().retry_after(5).because(status)),
        }
    }
}

/// The provider does not vouch for who came back.
pub fn provider_refused() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "provider-refused",
        "The identity provider does not vouch for you: begin again.",
    )
}
