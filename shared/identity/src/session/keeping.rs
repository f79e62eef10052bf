//! How a client keeps its tokens: in its own hands, or, for a browser, in cookies that no script reads.

use akademi_api::{
    Body, Problem,
    authorization::{ACCESS_COOKIE, cookie, own_page, set_cookie},
};
use akademi_domain::identity::ACCESS_TOKEN_SECONDS;
use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, Uri, header, request::Parts};
use serde::Serialize;

use super::Tokens;

/// What a page sends to have its browser keep the tokens.
const AKADEMI_TOKENS: HeaderName = HeaderName::from_static("akademi-tokens");
/// The cookie of a browser's refresh token.
const REFRESH_COOKIE: &str = "__Host-akademi_refresh";
/// The longest that a browser keeps a cookie (RFC 6265bis §5.5): a session may end long before.
const REFRESH_SECONDS: i64 = 400 * 24 * 3600;

/// The answer to whoever has signed in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TokenPair {
    /// Absent when the browser keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// `Bearer`, or `Cookie` when the browser keeps both tokens.
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: i64,
    /// Good for one use: the answer to a refresh carries the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// Where the tokens of an answer go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    Body,
    Cookies,
}

impl Keeping {
    /// The answer that hands them over.
    ///
    /// # Errors
    /// Never: tokens are text that a header can hold.
    pub fn deliver(self, Tokens { access, refresh }: Tokens) -> Result<Response, Problem> {
        let answer = |token_type, access_token, refresh_token| {
            Body(TokenPair { access_token, token_type, expires_in: ACCESS_TOKEN_SECONDS, refresh_token })
                .into_response()
        };
        match self {
            Self::Body => Ok(answer("Bearer", Some(access), Some(refresh))),
            Self::Cookies => {
                let mut response = answer("Cookie", None, None);
                for cookie in [
                    set_cookie(ACCESS_COOKIE, &access, ACCESS_TOKEN_SECONDS)?,
                    set_cookie(REFRESH_COOKIE, &refresh, REFRESH_SECONDS)?,
                ] {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
                Ok(response)
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Keeping {
    type Rejection = Problem;

    /// # Errors
    /// `cross-site-request` when another site's page asks for cookies: it would sign somebody in as somebody else.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if parts.headers.get(AKADEMI_TOKENS).is_none_or(|kept| kept != "cookies") {
            return Ok(Self::Body);
        }
        own_page(&parts.headers, &parts.uri)?;
        Ok(Self::Cookies)
    }
}

/// The refresh token that a browser keeps.
///
/// # Errors
/// `token-invalid` for none, `cross-site-request` from another site's page.
pub fn kept_refresh_token<'a>(headers: &'a HeaderMap, target: &Uri) -> Result<&'a str, Problem> {
    let token = cookie(headers, REFRESH_COOKIE)?.ok_or_else(Problem::token_invalid)?;
    own_page(headers, target)?;
    Ok(token)
}

/// `Set-Cookie` for a browser that is signed out.
///
/// # Errors
/// Never.
pub fn no_cookies() -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    for name in [ACCESS_COOKIE, REFRESH_COOKIE] {
        headers.append(header::SET_COOKIE, set_cookie(name, "", 0)?);
    }
    Ok(headers)
}
