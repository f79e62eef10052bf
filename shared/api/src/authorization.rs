//! Who is asking: an access token, in a header or in a browser's cookie.
//!
//! A cookie goes along with whatever page makes the browser send a request, so it counts for a write only when the browser
//! says that a page of the academy's own host did (Fetch Metadata; RFC 6454's `Origin` from browsers that do not send it).

use akademi_domain::{identity::STEP_UP_SECONDS, time::Timestamp};
use akademi_functions::{Access, Route, http_method::Method as RowMethod};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::Authority};

use crate::{
    caller::{Academy, Caller},
    gate::Directory,
    problem::Problem,
    token::{TokenError, TokenVerifier},
};

/// The cookie of a browser's access token. The prefix has the browser send it to this very host only, over TLS only
/// (RFC 6265bis §4.1.3.2).
pub const ACCESS_COOKIE: &str = "__Host-akademi_access";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who is asking, if the row asks for it.
///
/// # Errors
/// `not-signed-in`, `token-expired`, `token-invalid`, `session-ended`, `forbidden`, `step-up-required`,
/// `cross-site-request`; a malformed header is refused on public routes too, so that a client learns of it.
pub async fn check_caller(
    tokens: &TokenVerifier,
    directory: &dyn Directory,
    row: &Route,
    shown: Option<String>,
    academy: &Academy,
    now: Timestamp,
) -> Result<Option<Caller>, Problem> {
    let token = match (row.access, shown) {
        (Access::SignedIn | Access::Needs(_), shown) => shown.ok_or_else(Problem::not_signed_in)?,
        (Access::GuestOrSignedIn, Some(shown)) => shown,
        _ => return Ok(None),
    };
    let (caller, issued_at) = tokens.verify(&token, academy.id, now).map_err(|error| match error {
        TokenError::Expired => Problem::token_expired(),
        TokenError::Invalid => Problem::token_invalid(),
    })?;
    if let Access::Needs(permission) = row.access
        && !caller.may(permission)
    {
        return Err(Problem::forbidden());
    }
    if row.reads_session {
        let session = directory.live_session(&caller, now).await?.ok_or_else(Problem::session_ended)?;
        if issued_at < session.permissions_since {
            return Err(Problem::token_expired());
        }
        let proof_is_old = now.millis_since(session.authenticated_at) > STEP_UP_SECONDS * 1000;
        if row.steps_up && proof_is_old {
            return Err(Problem::step_up_required());
        }
    }
    Ok(Some(caller))
}

/// The access token that a request shows: of its `Authorization: Bearer` header (RFC 6750 §2.1), or else of its cookie.
///
/// # Errors
/// `token-invalid` for a header or a cookie that stands there twice or is malformed; `cross-site-request`.
pub fn shown_token(row: &Route, headers: &HeaderMap, target: &Uri) -> Result<Option<String>, Problem> {
    if let Some(token) = bearer(headers)? {
        return Ok(Some(token.to_owned()));
    }
    let asks_for_caller = matches!(row.access, Access::GuestOrSignedIn | Access::SignedIn | Access::Needs(_));
    let Some(token) = cookie(headers, ACCESS_COOKIE)?.filter(|_| asks_for_caller) else { return Ok(None) };
    if row.method != RowMethod::Get {
        own_page(headers, target)?;
    }
    Ok(Some(token.to_owned()))
}

/// Holds what a browser does by a cookie, or is given one for, to pages of the host that the request names.
///
/// # Errors
/// `cross-site-request`
pub fn own_page(headers: &HeaderMap, target: &Uri) -> Result<(), Problem> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = match text(&SEC_FETCH_SITE) {
        Some(site) => site == "same-origin",
        // WASI HTTP has no Host header: there it is the target's own.
        None => {
            text(&header::HOST).or_else(|| target.authority().map(Authority::as_str)).is_some_and(|host| {
                let origin = text(&header::ORIGIN).and_then(|origin| origin.split_once("://"));
                origin.is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
            })
        }
    };
    if is_own { Ok(()) } else { Err(Problem::cross_site_request()) }
}

/// A cookie's value (RFC 6265 §4.2).
///
/// # Errors
/// `token-invalid` when there are two of that name: somebody may have set one beside ours.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let value = values.next();
    if values.next().is_some() { Err(Problem::token_invalid()) } else { Ok(value) }
}

/// `Set-Cookie` for this very host, over TLS only, that no script reads. Lax: whoever follows a link of another site is still
/// signed in there. None of `value`'s characters may end a cookie's value.
///
/// # Errors
/// `internal` for a value that no header can hold.
pub fn set_cookie(name: &str, value: &str, seconds: i64) -> Result<HeaderValue, Problem> {
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    HeaderValue::try_from(text).map_err(Problem::broken)
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::token_invalid());
    }
    let value = value.to_str().map_err(|_| Problem::token_invalid())?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Problem::token_invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_cookie_counts_for_a_write_only_from_a_page_of_the_same_host() {
        let own: Uri = "http://umraniye.example:8080/api".parse().unwrap();
        for (pairs, is_own) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], true),
            (&[("sec-fetch-site", "same-site"), ("origin", "https://umraniye.example:8080")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "https://umraniye.example:8080")], true),
            (&[("origin", "http://UMRANIYE.example:8080")], true),
            (&[("origin", "https://umraniye.example")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
            (&[], false),
        ] {
            assert_eq!(own_page(&headers(pairs), &own).is_ok(), is_own, "{pairs:?}");
            let mut named = headers(pairs);
            named.insert(header::HOST, HeaderValue::from_static("umraniye.example:8080"));
            assert_eq!(own_page(&named, &Uri::from_static("/api")).is_ok(), is_own, "{pairs:?}");
        }
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name_and_only_if_it_is_alone() {
        let one = headers(&[("cookie", "a=1; __Host-akademi_access=t; X__Host-akademi_access=u")]);
        assert_eq!(cookie(&one, ACCESS_COOKIE).unwrap(), Some("t"));
        let two = headers(&[("cookie", "__Host-akademi_access=t; __Host-akademi_access=u")]);
        assert_eq!(cookie(&two, ACCESS_COOKIE).unwrap_err().slug(), "token-invalid");
        assert_eq!(cookie(&headers(&[("cookie", "a=1")]), ACCESS_COOKIE).unwrap(), None);
    }
}
