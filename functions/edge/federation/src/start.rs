//! A browser is sent to a provider.

use akademi_api::{
    Academy, Body, PathParam, Problem,
    authorization::own_page,
    caller::{AcademyHost, RequestId},
    federation::AuthorizationWanted,
    public_url::{public_url, with_local_port},
};
use akademi_identity::{Origin, throttle};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Uri, header};
use serde::{Deserialize, Serialize};

use crate::{
    Federation,
    store::{self, NewSignIn},
};

/// How long somebody may be away, in seconds.
pub const SIGN_IN_SECONDS: i64 = 10 * 60;
const MAX_PATH: usize = 200;

/// A path of the academy's own site: letters, digits, `-`, `_`, `.` and single slashes. Nothing that a browser could take for
/// another host.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 200, pattern = r"^/([A-Za-z0-9_.-]+/?)*$")]
pub struct OwnPath(String);

#[derive(Debug)]
pub struct InvalidPath;

impl std::fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("is no path of this site")
    }
}

impl TryFrom<String> for OwnPath {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<Self, InvalidPath> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
        let is_own = text.starts_with('/') && !text.contains("//") && text.bytes().all(is_plain);
        if is_own && text.len() <= MAX_PATH { Ok(Self(text)) } else { Err(InvalidPath) }
    }
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInStart {
    /// The page to come back to, on this host.
    return_to: OwnPath,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct SignInAddress {
    /// Where the page sends its browser.
    url: String,
}

/// Begin to sign in with a provider
///
/// For pages of the academy's own host: the cookie that comes with the answer binds the sign-in to this browser, for ten
/// minutes.
#[utoipa::path(post, path = "/api/v1/auth/providers/{provider}/start", tag = "auth", request_body = SignInStart,
    params(("provider" = String, Path, description = "The provider", max_length = 32)),
    responses((status = 200, description = "The provider's address", body = SignInAddress),
              (status = 403, description = "It is no page of the academy that asks", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many have begun from this address", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn start(
    State(federation): State<Federation>,
    (academy, AcademyHost(host)): (Academy, AcademyHost),
    request_id: RequestId,
    origin: Origin,
    PathParam(provider): PathParam<String>,
    (headers, target): (HeaderMap, Uri),
    Body(SignInStart { return_to: OwnPath(return_to) }): Body<SignInStart>,
) -> Result<Response, Problem> {
    let ports = &federation.edge.ports;
    let now = ports.now();
    let database = federation.edge.tenant(academy.id);
    if !store::has_provider(&database, &provider).await? {
        return Err(Problem::not_found());
    }
    own_page(&headers, &target)?;
    let counter = federation.throttles.address_tries(b"provider", &origin);
    throttle::admit(&database, &[counter], now).await?;
    let browser = federation.browsers.of(ports.random());
    let path = format!("/api/v1/auth/providers/{provider}/callback");
    let host = with_local_port(host, &headers, &target);
    let redirect_uri = public_url(&host, &path).map_err(Problem::broken)?.to_string();
    let wanted = AuthorizationWanted {
        provider: provider.clone(),
        state: browser.state.clone(),
        nonce: browser.nonce.clone(),
        code_challenge: browser.code_challenge(),
        redirect_uri: redirect_uri.clone(),
    };
    let authorization = federation.authorization(&academy, &request_id, &wanted).await?;
    let new = NewSignIn {
        browser: &browser.lookup,
        provider: &provider,
        issuer: &authorization.issuer,
        names_issuer: authorization.names_issuer,
        redirect_uri: &redirect_uri,
        return_to: &return_to,
        expires_at: now.plus_seconds(SIGN_IN_SECONDS),
    };
    database.batch(vec![store::forget_expired(now), store::insert_sign_in(new)]).await?;
    let cookie = [(header::SET_COOKIE, browser.cookie()?)];
    Ok((cookie, Body(SignInAddress { url: authorization.url })).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_comes_back_to_the_same_host_only() {
        for own in ["/", "/account", "/account/sign-in", "/a.b/c_d/"] {
            assert!(OwnPath::try_from(own.to_owned()).is_ok(), "{own}");
        }
        for strange in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a//b",
            "/%2fevil.example",
            "/a?next=//evil.example",
            "/a#b",
            "/ a",
            "/a\r\nLocation: x",
            "/ş",
            "/@evil.example",
            &format!("/{}", "a".repeat(200)),
        ] {
            assert!(OwnPath::try_from(strange.to_owned()).is_err(), "{strange}");
        }
    }
}
