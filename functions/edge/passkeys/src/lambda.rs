//! What Lambda's `identity` is asked.

use akademi_api::{
    Academy, Problem,
    caller::RequestId,
    passkey::{Assertion, Attestation, Verdict},
    plane_client::PlaneCall,
    signed::{CallContext, Purpose},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri::PathAndQuery};
use serde::Serialize;

use crate::Passkeys;

impl Passkeys {
    /// Whether an authenticator has made this passkey.
    ///
    /// # Errors
    /// `unavailable` when nobody can be asked.
    pub async fn check_attestation(
        &self,
        academy: &Academy,
        request: &RequestId,
        shown: &Attestation,
    ) -> Result<Verdict, Problem> {
        self.ask("/internal/identity/passkeys/attestation", academy, request, shown).await
    }

    /// Whether a passkey has signed this.
    ///
    /// # Errors
    /// As [`Passkeys::check_attestation`].
    pub async fn check_assertion(
        &self,
        academy: &Academy,
        request: &RequestId,
        shown: &Assertion,
    ) -> Result<Verdict, Problem> {
        self.ask("/internal/identity/passkeys/assertion", academy, request, shown).await
    }

    async fn ask(
        &self,
        path: &'static str,
        academy: &Academy,
        RequestId(request_id): &RequestId,
        shown: &impl Serialize,
    ) -> Result<Verdict, Problem> {
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
            body: Bytes::from(serde_json::to_vec(shown).map_err(Problem::broken)?),
            context: &context,
        };
        let answer = self.lambda.call(call, self.edge.ports.now()).await?;
        match answer.status() {
            StatusCode::OK => serde_json::from_slice(answer.body()).map_err(Problem::broken),
            status => Err(Problem::unavailable().retry_after(5).because(status)),
        }
    }
}
