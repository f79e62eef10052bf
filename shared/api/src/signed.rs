//! Signed calls between the planes: `origin` to Lambda, `sync` to the edge's feed, wakes.
//!
//! A call carries one header, `akademi-call`: `kid.claims.mac`, where claims are JSON in base64url and the MAC is
//! HMAC-SHA-256 over `kid.claims` under a key for the call's purpose. The claims bind method, target and body,
//! so that nothing of the call can be changed, and are good for one minute. A replay within it meets
//! idempotent writes.

use akademi_domain::{
    ids::{SessionId, TenantId, UserId},
    permission::Permissions,
    time::Timestamp,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    caller::Caller,
    keys::{InvalidKeys, derive, parse_keys},
    problem::Problem,
    public_url::public_url,
};

pub const CALL_HEADER: HeaderName = HeaderName::from_static("akademi-call");
/// How long a call is good for, and how far clocks of the planes may lie apart, in milliseconds.
const CALL_LIFE_MS: i64 = 60_000;
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// What a call is for; each purpose has a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A person's request, forwarded from the academy's host.
    Origin,
    /// Feed batches and keys of new people.
    Feed,
    /// What the edge asks for itself: to look at its feed, whether anybody is there, whom a code of an identity provider stands
    /// for.
    Wake,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Origin, Self::Feed, Self::Wake];

    const fn label(self) -> &'static str {
        match self {
            Self::Origin => "akademi/call/origin/1",
            Self::Feed => "akademi/call/feed/1",
            Self::Wake => "akademi/call/wake/1",
        }
    }
}

/// What a call says beside its method, target and body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallContext {
    pub request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The academy's host, as the person's browser named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The person's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<CallCaller>,
}

/// The signed-in person of a forwarded request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallCaller {
    pub sub: UserId,
    pub sid: SessionId,
    pub prm: u32,
}

impl CallContext {
    /// The person behind the call, if somebody is signed in.
    pub fn signed_in(&self) -> Option<Caller> {
        let caller = self.caller?;
        Some(Caller {
            tenant: self.tenant?,
            user: caller.sub,
            session: caller.sid,
            permissions: Permissions::from_bits(caller.prm),
        })
    }

    /// The absolute address of `path` on the host that the person's browser is at (see [`public_url`]).
    ///
    /// # Errors
    /// `internal` for a call that names no host.
    pub fn public_url(&self, path: &str) -> Result<Uri, Problem> {
        let host = self.host.as_deref().ok_or_else(|| Problem::broken("the call names no host"))?;
        public_url(host, path).map_err(Problem::broken)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    purpose: Purpose,
    issued_at_ms: i64,
    method: String,
    target: String,
    body_sha256: String,
    context: CallContext,
}

/// Why a call is refused; the caller is told only that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("the call carries no signature")]
    Unsigned,
    #[error("the call's signature is not valid")]
    Invalid,
    #[error("the call is older than a minute or from the future")]
    Stale,
    #[error("the call was signed for another request")]
    Mismatch,
}

struct PlaneKey {
    kid: String,
    purposes: [Zeroizing<[u8; 32]>; 3],
}

/// The keys of calls between the planes; the first signs, all verify.
pub struct PlaneKeys {
    keys: Vec<PlaneKey>,
}

impl PlaneKeys {
    /// Reads `kid:root` pairs and derives a key per purpose.
    ///
    /// # Errors
    /// [`InvalidKeys`]
    pub fn from_config(text: &str) -> Result<Self, InvalidKeys> {
        let keys = parse_keys(text)?
            .into_iter()
            .map(|root| PlaneKey {
                purposes: Purpose::ALL.map(|purpose| derive(&root.bytes, purpose.label())),
                kid: root.kid,
            })
            .collect();
        Ok(Self { keys })
    }

    /// The header that signs a call of `method` to `target` (path and query) with this body.
    pub fn sign(
        &self,
        purpose: Purpose,
        method: &Method,
        target: &Uri,
        body: &[u8],
        context: &CallContext,
        now: Timestamp,
    ) -> Option<HeaderValue> {
        let claims = Claims {
            purpose,
            issued_at_ms: now.as_millis(),
            method: method.as_str().to_owned(),
            target: target_of(target).to_owned(),
            body_sha256: body_hash(body),
            context: context.clone(),
        };
        let key = self.keys.first()?;
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).ok()?);
        let signed = format!("{}.{claims}", key.kid);
        let mac = mac(key.purposes.get(purpose as usize)?, &signed)?.finalize().into_bytes();
        HeaderValue::try_from(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))).ok()
    }

    /// Checks the call's header against the request that carries it.
    ///
    /// # Errors
    /// [`CallError`]
    pub fn verify(
        &self,
        purpose: Purpose,
        method: &Method,
        target: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<CallContext, CallError> {
        let mut values = headers.get_all(CALL_HEADER).iter();
        let header = values.next().ok_or(CallError::Unsigned)?;
        if values.next().is_some() || header.len() > MAX_HEADER_BYTES {
            return Err(CallError::Invalid);
        }
        let header = header.to_str().map_err(|_| CallError::Invalid)?;
        let (signed, shown_mac) = header.rsplit_once('.').ok_or(CallError::Invalid)?;
        let (kid, claims) = signed.split_once('.').ok_or(CallError::Invalid)?;
        let key = self.keys.iter().find(|key| key.kid == kid).ok_or(CallError::Invalid)?;
        let key = key.purposes.get(purpose as usize).ok_or(CallError::Invalid)?;
        let shown_mac = URL_SAFE_NO_PAD.decode(shown_mac).map_err(|_| CallError::Invalid)?;
        mac(key, signed)
            .ok_or(CallError::Invalid)?
            .verify_slice(&shown_mac)
            .map_err(|_| CallError::Invalid)?;

        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| CallError::Invalid)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| CallError::Invalid)?;
        if (now.as_millis() - claims.issued_at_ms).abs() > CALL_LIFE_MS {
            return Err(CallError::Stale);
        }
        let is_this_request = claims.purpose == purpose
            && claims.method == method.as_str()
            && claims.target == target_of(target)
            && claims.body_sha256 == body_hash(body);
        if is_this_request { Ok(claims.context) } else { Err(CallError::Mismatch) }
    }
}

fn target_of(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |target| target.as_str())
}

fn body_hash(body: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(body))
}

fn mac(key: &[u8; 32], signed: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(signed.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn keys(seed: u8) -> PlaneKeys {
        PlaneKeys::from_config(&format!("k1:{}", URL_SAFE_NO_PAD.encode([seed; 32]))).unwrap()
    }

    fn context() -> CallContext {
        CallContext {
            request_id: "r".into(),
            tenant: Some(TenantId::new(NOW, [1; 10])),
            idempotency_key: Some("k".into()),
            caller: Some(CallCaller {
                sub: UserId::new(NOW, [2; 10]),
                sid: SessionId::new(NOW, [3; 10]),
                prm: 1,
            }),
            ..CallContext::default()
        }
    }

    fn verify(
        purpose: Purpose,
        method: Method,
        target: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<CallContext, CallError> {
        let signed_target: Uri = "/api/v1/orders?a=1".parse().unwrap();
        let header =
            keys(1).sign(Purpose::Origin, &Method::POST, &signed_target, b"{}", &context(), NOW).unwrap();
        let headers = HeaderMap::from_iter([(CALL_HEADER, header)]);
        keys(1).verify(purpose, &method, &target.parse().unwrap(), &headers, body, now)
    }

    #[test]
    fn a_call_is_good_for_its_own_request_and_one_minute() {
        let target = "/api/v1/orders?a=1";
        assert_eq!(verify(Purpose::Origin, Method::POST, target, b"{}", NOW), Ok(context()));
        assert!(verify(Purpose::Origin, Method::POST, target, b"{}", NOW.plus_seconds(60)).is_ok());
        for (purpose, method, target, body, after, error) in [
            (Purpose::Feed, Method::POST, target, b"{}".as_slice(), 0, CallError::Invalid),
            (Purpose::Origin, Method::PUT, target, b"{}", 0, CallError::Mismatch),
            (Purpose::Origin, Method::POST, "/api/v1/orders?a=2", b"{}", 0, CallError::Mismatch),
            (Purpose::Origin, Method::POST, target, b"{ }", 0, CallError::Mismatch),
            (Purpose::Origin, Method::POST, target, b"{}", 61, CallError::Stale),
            (Purpose::Origin, Method::POST, target, b"{}", -61, CallError::Stale),
        ] {
            assert_eq!(verify(purpose, method, target, body, NOW.plus_seconds(after)), Err(error));
        }
    }

    #[test]
    fn an_address_on_the_persons_host_is_https_unless_it_is_this_machine() {
        for (host, url) in [
            ("umraniye.example", "https://umraniye.example/verify/00?a=1"),
            ("localhost.example:8443", "https://localhost.example:8443/verify/00?a=1"),
            ("localhost", "http://localhost/verify/00?a=1"),
            ("umraniye.localhost:3000", "http://umraniye.localhost:3000/verify/00?a=1"),
        ] {
            let call = CallContext { host: Some(host.into()), ..CallContext::default() };
            assert_eq!(call.public_url("/verify/00?a=1").unwrap().to_string(), url);
        }
        assert!(CallContext::default().public_url("/").is_err());
    }

    #[test]
    fn an_unsigned_forged_or_doubled_header_is_refused() {
        let target: Uri = "/x".parse().unwrap();
        let check =
            |headers: &HeaderMap| keys(1).verify(Purpose::Wake, &Method::POST, &target, headers, b"", NOW);
        assert_eq!(check(&HeaderMap::new()), Err(CallError::Unsigned));
        let header =
            |seed| keys(seed).sign(Purpose::Wake, &Method::POST, &target, b"", &context(), NOW).unwrap();
        assert!(check(&HeaderMap::from_iter([(CALL_HEADER, header(1))])).is_ok());
        assert_eq!(check(&HeaderMap::from_iter([(CALL_HEADER, header(2))])), Err(CallError::Invalid));
        let mut doubled = HeaderMap::from_iter([(CALL_HEADER, header(1))]);
        doubled.append(CALL_HEADER, header(1));
        assert_eq!(check(&doubled), Err(CallError::Invalid));
    }
}
