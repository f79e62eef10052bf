//! What a provider says of itself (OpenID Connect Discovery 1.0), and its keys, kept for as long as they may be.

use akademi_domain::time::Timestamp;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, Uri, header};
use lru::LruCache;
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use super::keys::Jwks;
use crate::{outgoing::Outgoing, provider::ProviderError};

/// Of how many providers something is kept.
const MAX_KEPT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);
/// Bounds of how long, in seconds, whatever the provider says; the middle one where it says nothing.
const LEAST_SECONDS: i64 = 60;
const USUAL_SECONDS: i64 = 3600;
const MOST_SECONDS: i64 = 24 * 3600;
/// A key that is not among those we have is looked for again, but not more often.
const REFETCH_SECONDS: i64 = 60;

/// `/.well-known/openid-configuration`, as far as it is used.
#[derive(Debug, Clone, Deserialize)]
pub struct Document {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207 §3.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl Document {
    /// Whether the token endpoint takes HTTP Basic: the default (OpenID Connect Discovery 3).
    pub fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"))
    }
}

struct Kept<T> {
    value: Arc<T>,
    fetched_at: Timestamp,
    until: Timestamp,
}

impl<T> Kept<T> {
    fn new(value: T, headers: &HeaderMap, now: Timestamp) -> Self {
        Self { value: Arc::new(value), fetched_at: now, until: now.plus_seconds(max_age(headers)) }
    }
}

/// What is known of providers. It is what they say to everybody, so academies may share it.
pub struct Discoveries {
    documents: Mutex<LruCache<String, Kept<Document>>>,
    keys: Mutex<LruCache<String, Kept<Jwks>>>,
}

impl Default for Discoveries {
    fn default() -> Self {
        Self { documents: Mutex::new(LruCache::new(MAX_KEPT)), keys: Mutex::new(LruCache::new(MAX_KEPT)) }
    }
}

impl Discoveries {
    /// # Errors
    /// [`ProviderError`] when the provider says nothing, or that it is another one.
    pub async fn document(
        &self,
        outgoing: &Outgoing,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Arc<Document>, ProviderError> {
        let known = self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(issuer)
            .and_then(|kept| (kept.until > now).then(|| kept.value.clone()));
        if let Some(document) = known {
            return Ok(document);
        }
        let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let answer = outgoing.get(address(&place)?).await?;
        let document: Document = read(&answer)?;
        // OpenID Connect Discovery 4.3: else one provider could speak for another.
        if document.issuer != issuer {
            return Err(ProviderError::Unexpected("the name of another issuer"));
        }
        let kept = Kept::new(document, answer.headers(), now);
        let document = kept.value.clone();
        self.documents.lock().unwrap_or_else(PoisonError::into_inner).put(issuer.to_owned(), kept);
        Ok(document)
    }

    /// The keys of a provider, among them `kid` if there is one such.
    ///
    /// # Errors
    /// [`ProviderError`]
    pub async fn keys(
        &self,
        outgoing: &Outgoing,
        document: &Document,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<Jwks>, ProviderError> {
        let known =
            self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(&document.jwks_uri).and_then(
                |kept| {
                    let is_missing = kid.is_some_and(|kid| !kept.value.has(kid));
                    let is_worth_a_look = now.millis_since(kept.fetched_at) >= REFETCH_SECONDS * 1000;
                    let is_good = kept.until > now && !(is_missing && is_worth_a_look);
                    is_good.then(|| kept.value.clone())
                },
            );
        if let Some(keys) = known {
            return Ok(keys);
        }
        let answer = outgoing.get(address(&document.jwks_uri)?).await?;
        let kept = Kept::new(read::<Jwks>(&answer)?, answer.headers(), now);
        let keys = kept.value.clone();
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).put(document.jwks_uri.clone(), kept);
        Ok(keys)
    }
}

/// # Errors
/// [`ProviderError::Unexpected`] for what is no address.
pub fn address(text: &str) -> Result<Uri, ProviderError> {
    text.parse().map_err(|_| ProviderError::Unexpected("an address that is none"))
}

fn read<T: DeserializeOwned>(answer: &Response<Bytes>) -> Result<T, ProviderError> {
    if answer.status() != StatusCode::OK {
        return Err(ProviderError::Unexpected("no description of itself"));
    }
    serde_json::from_slice(answer.body())
        .map_err(|_| ProviderError::Unexpected("a description of itself that is none"))
}

/// The seconds of `Cache-Control: max-age` (RFC 9111 §5.2.2.1), within bounds.
fn max_age(headers: &HeaderMap) -> i64 {
    let directives = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let said = directives
        .flat_map(|value| value.split(','))
        .find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse().ok());
    said.unwrap_or(USUAL_SECONDS).clamp(LEAST_SECONDS, MOST_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_as_long_as_it_says_within_bounds() {
        let seconds = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, value.parse().unwrap());
            max_age(&headers)
        };
        assert_eq!(seconds("public, max-age=19845, must-revalidate"), 19845);
        assert_eq!(seconds("max-age=0"), LEAST_SECONDS);
        assert_eq!(seconds("max-age=99999999"), MOST_SECONDS);
        assert_eq!(seconds("no-store"), USUAL_SECONDS);
        assert_eq!(max_age(&HeaderMap::new()), USUAL_SECONDS);
    }
}
