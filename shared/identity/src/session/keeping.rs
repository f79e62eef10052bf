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

use super::TokenPair;

/// What a page sends to have its browser keep the tokens.
const AKADEMI_TOKENS: HeaderName = HeaderName::from_static("akademi-tokens");
/// The cookie of a browser's refresh token.
const REFRESH_COOKIE: &str = "__Host-akademi_refresh";
/// The longest that a browser keeps a cookie (RFC 6265bis §5.5): a session may end long before.
const REFRESH_SECONDS: i64 = 400 * 24 * 3600;

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
    pub fn deliver(self, pair: TokenPair) -> Result<Response, Problem> {
        let TokenPair { access_token: Some(access), refresh_token: Some(refresh), expires_in, .. } = &pair
        else {
            return Ok(Body(pair).into_response());
        };
        if self == Self::Body {
            return Ok(Body(pair).into_response());
        }
        let cookies = [
            set_cookie(ACCESS_COOKIE, access, ACCESS_TOKEN_SECONDS)?,
            set_cookie(REFRESH_COOKIE, refresh, REFRESH_SECONDS)?,
        ];
        let kept = TokenPair {
            access_token: None,
            token_type: "Cookie",
            expires_in: *expires_in,
            refresh_token: None,
        };
        let mut response = Body(kept).into_response();
        for cookie in cookies {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
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
