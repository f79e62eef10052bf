//! One browser's sign-in elsewhere: a random cookie, and what is derived from it. Nothing of it is stored but a hash.

use akademi_api::{
    Problem,
    authorization::{cookie, set_cookie},
};
use akademi_seal::{Vault, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The prefix has the browser send it to this very host only, over TLS only (RFC 6265bis §4.1.3.2).
const COOKIE: &str = "__Host-akademi_provider";
/// The way there, the way back, and a sign-in to link what came of it.
const COOKIE_SECONDS: i64 = 30 * 60;

/// Reads browsers' cookies and derives from them.
pub struct Browsers([u8; 32]);

/// A browser that has begun to sign in elsewhere.
pub struct Browser {
    secret: [u8; 32],
    /// By what the store finds it.
    pub lookup: [u8; 32],
    /// RFC 6749 §10.12.
    pub state: String,
    /// OpenID Connect Core 3.1.2.1.
    pub nonce: String,
    /// RFC 7636 §4.1.
    pub code_verifier: String,
}

impl Browsers {
    pub fn new(vault: &Vault) -> Self {
        Self(*vault.derive("akademi/federation/1"))
    }

    /// The browser that is given `secret`, 256 random bits.
    pub fn of(&self, secret: [u8; 32]) -> Browser {
        let derive = |what: &[u8]| hmac(&self.0, &[what, &secret].concat());
        let text = |what: &[u8]| URL_SAFE_NO_PAD.encode(derive(what));
        Browser {
            lookup: derive(b"browser"),
            state: text(b"state"),
            nonce: text(b"nonce"),
            code_verifier: text(b"verifier"),
            secret,
        }
    }

    /// The browser that sends this cookie.
    ///
    /// # Errors
    /// [`not_under_way`] for none; `token-invalid` for two.
    pub fn read(&self, headers: &HeaderMap) -> Result<Browser, Problem> {
        let value = cookie(headers, COOKIE)?.filter(|value| value.len() < 64).unwrap_or_default();
        let secret = URL_SAFE_NO_PAD.decode(value).ok().and_then(|bytes| bytes.try_into().ok());
        secret.map(|secret| self.of(secret)).ok_or_else(not_under_way)
    }
}

impl Browser {
    /// `Set-Cookie` for it. Lax, since it comes back by a link of another site.
    ///
    /// # Errors
    /// Never: base64url stands in a header.
    pub fn cookie(&self) -> Result<HeaderValue, Problem> {
        set_cookie(COOKIE, &URL_SAFE_NO_PAD.encode(self.secret), COOKIE_SECONDS)
    }

    /// RFC 7636 §4.2.
    pub fn code_challenge(&self) -> String {
        s256(&self.code_verifier)
    }

    /// Whether `state` is this browser's, in constant time.
    pub fn sent(&self, state: &str) -> bool {
        self.state.as_bytes().ct_eq(state.as_bytes()).into()
    }
}

/// `Set-Cookie` for who needs it no more.
///
/// # Errors
/// Never.
pub fn no_cookie() -> Result<HeaderValue, Problem> {
    set_cookie(COOKIE, "", 0)
}

fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// One answer for a browser that did not begin, whose time is over, or that has been through.
pub fn not_under_way() -> Problem {
    Problem::new(
        http::StatusCode::NOT_FOUND,
        "no-sign-in-under-way",
        "No sign-in with this provider is under way in this browser: begin again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_the_one_of_the_rfc() {
        for (verifier, challenge) in [
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            (
                "demo-verifier-0001-abcdefghijklmnopqrstuvwxyz0123456789",
                "53W8JdsOwqykuP2jPvdRYihUKmq8fxcxjSLQNl1j8tU",
            ),
        ] {
            assert_eq!(s256(verifier), challenge);
        }
    }

    #[test]
    fn what_is_derived_is_of_one_browser_and_tells_nothing_of_the_rest() {
        let browsers = Browsers([7; 32]);
        let (one, other) = (browsers.of([1; 32]), browsers.of([2; 32]));
        let parts = [&one.state, &one.nonce, &one.code_verifier, &other.state];
        for (index, part) in parts.iter().enumerate() {
            // RFC 7636 §4.1: 43 to 128 unreserved characters.
            assert_eq!(part.len(), 43);
            assert!(!parts[index + 1..].contains(part));
        }
        assert!(one.sent(&one.state) && !one.sent(&other.state) && !one.sent(""));
        let set = one.cookie().unwrap();
        assert!(set.to_str().unwrap().ends_with("; Secure; HttpOnly; SameSite=Lax"));
        let mut headers = HeaderMap::new();
        let sent = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        headers.insert(http::header::COOKIE, sent.parse().unwrap());
        assert_eq!(browsers.read(&headers).unwrap().lookup, one.lookup);
    }
}
