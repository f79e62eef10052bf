//! Content codings by `Accept-Encoding` (RFC 9110 §8.4, §12.5.3).

use akademi_domain::ids::TenantId;
use axum::{
    body::{Body, HttpBody},
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header, uri::PathAndQuery};
use std::sync::Arc;

use crate::{
    answers::{Answer, Answers, Question},
    conditional::PUBLIC_CACHE,
    problem::Problem,
};

/// What is smaller fits into the packets that its headers need anyway, and would not get smaller by much.
const WORTH_IT_BYTES: u64 = 1024;

/// A content coding that clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 7932
    Brotli,
    /// RFC 1952
    Gzip,
}

impl Coding {
    /// As it stands in IANA's registry of content codings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// What a host compresses with.
pub trait Compressor: Send + Sync {
    /// The codings it makes, the best first.
    fn codings(&self) -> &'static [Coding];

    /// `body` in `coding`, or `body` itself where the platform encodes on the way out what the headers announce; nothing
    /// when it cannot, and the answer goes out plain.
    fn compress(&self, coding: Coding, body: &Bytes) -> Option<Bytes>;
}

/// The coding of `offered` that a client takes most gladly, if it does not want the plain answer more.
fn negotiate(request: &HeaderMap, offered: &[Coding]) -> Option<Coding> {
    let mut weights = Vec::new();
    for value in request.get_all(header::ACCEPT_ENCODING) {
        weights.extend(value.to_str().ok()?.split(',').filter_map(weight));
    }
    let weight_of = |name: &str| weights.iter().find(|(coding, _)| coding.eq_ignore_ascii_case(name));
    let any = weight_of("*").map(|(_, weight)| *weight);
    let plain = weight_of("identity").map_or(0, |(_, weight)| *weight);
    let mut best = None;
    for &coding in offered {
        let weight = weight_of(coding.name()).map(|(_, weight)| *weight).or(any).unwrap_or(0);
        if weight > 0 && weight >= plain && best.is_none_or(|(_, best)| weight > best) {
            best = Some((coding, weight));
        }
    }
    best.map(|(coding, _)| coding)
}

/// `gzip;q=0.5` as a name and thousandths (RFC 9110 §12.4.2); nothing for what is malformed.
fn weight(item: &str) -> Option<(&str, u16)> {
    let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
    let weight = match parameters.trim() {
        "" => 1000,
        parameter => {
            let (key, value) = parameter.split_once('=')?;
            thousandths(value.trim()).filter(|_| key.trim().eq_ignore_ascii_case("q"))?
        }
    };
    Some((name.trim(), weight))
}

/// A weight of at most three decimals. Whole numbers: reading a float costs a component 16 KB of tables.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let decimals = Some(format!("{decimals:0<3}")).filter(|decimals| decimals.len() == 3)?;
    let (whole, decimals): (u16, u16) = (whole.parse().ok()?, decimals.parse().ok()?);
    Some(whole.checked_mul(1000)?.checked_add(decimals)?.min(1000))
}

/// What a client asked for that takes compressed answers.
pub(crate) struct Wanted {
    coding: Coding,
    target: Option<PathAndQuery>,
}

/// Compresses what is worth it, public answers once: their `ETag` tells when they have become others.
pub(crate) struct Compression {
    compressor: Option<Arc<dyn Compressor>>,
    public: Answers,
}

impl Compression {
    pub(crate) fn new(compressor: Option<Arc<dyn Compressor>>) -> Self {
        Self { compressor, public: Answers::default() }
    }

    /// What `request` asks for, if its answer may be compressed.
    pub(crate) fn wanted(&self, request: &Request) -> Option<Wanted> {
        let coding = negotiate(request.headers(), self.compressor.as_ref()?.codings())?;
        Some(Wanted { coding, target: request.uri().path_and_query().cloned() })
    }

    /// `response`, the answer to `wanted` of this academy, compressed if that is worth it.
    pub(crate) async fn apply(
        &self,
        wanted: Wanted,
        tenant: Option<TenantId>,
        response: Response,
    ) -> Response {
        let Some(compressor) = self.compressor.as_deref().filter(|_| is_worth_it(&response)) else {
            return response;
        };
        let question = tenant.and_then(|tenant| question(&wanted, tenant, response.headers()));
        let (mut parts, body) = response.into_parts();
        let compressed = match question.as_ref().and_then(|question| self.public.find(question)) {
            Some(answer) => answer.body,
            None => {
                // It is in memory already, whole.
                let body = match axum::body::to_bytes(body, usize::MAX).await {
                    Ok(body) => body,
                    Err(error) => return Problem::broken(error).into_response(),
                };
                let Some(compressed) = compressor.compress(wanted.coding, &body) else {
                    return Response::from_parts(parts, Body::from(body));
                };
                if let Some(question) = question {
                    self.public.keep(question, Answer { etag: String::new(), body: compressed.clone() });
                }
                compressed
            }
        };
        parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(wanted.coding.name()));
        parts.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(parts, Body::from(compressed))
    }
}

/// Names a public answer in one coding; nothing for one that is not public.
fn question(wanted: &Wanted, tenant: TenantId, headers: &HeaderMap) -> Option<Question> {
    headers.get(header::CACHE_CONTROL).filter(|policy| *policy == PUBLIC_CACHE)?;
    let etag = headers.get(header::ETAG)?.to_str().ok()?;
    Some((tenant, format!("{} {etag} {}", wanted.coding.name(), wanted.target.as_ref()?)))
}

/// Whether `response` gets smaller by more than it costs.
fn is_worth_it(response: &Response) -> bool {
    let headers = response.headers();
    let is_text = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default();
        kind.starts_with("text/") || ["json", "xml", "javascript"].iter().any(|end| kind.ends_with(end))
    });
    is_text
        && response.status() == StatusCode::OK
        && !headers.contains_key(header::CONTENT_ENCODING)
        && response.body().size_hint().exact().is_some_and(|bytes| bytes >= WORTH_IT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Coding; 2] = [Coding::Brotli, Coding::Gzip];

    fn negotiated(accept: &str) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, accept.parse().unwrap());
        negotiate(&headers, &BOTH)
    }

    #[test]
    fn the_coding_is_what_the_client_takes_most_gladly() {
        assert_eq!(negotiate(&HeaderMap::new(), &BOTH), None);
        for (accept, wanted) in [
            ("gzip", Some(Coding::Gzip)),
            ("GZIP", Some(Coding::Gzip)),
            ("gzip, deflate, br, zstd", Some(Coding::Brotli)),
            ("br;q=0.5, gzip", Some(Coding::Gzip)),
            ("br ; q=0.5 , gzip; Q=0.400", Some(Coding::Brotli)),
            ("*", Some(Coding::Brotli)),
            ("br;q=0, *", Some(Coding::Gzip)),
            ("gzip;q=0", None),
            ("identity, gzip;q=0.5", None),
            ("identity;q=0.5, gzip", Some(Coding::Gzip)),
            ("zstd", None),
            ("", None),
            ("gzip;q=much", None),
            ("gzip;q=0.1234", None),
            ("gzip;level=9", None),
        ] {
            assert_eq!(negotiated(accept), wanted, "{accept:?}");
        }
    }

    #[test]
    fn what_is_small_or_no_text_or_encoded_already_is_left_alone() {
        let response = |kind: &str, coding: Option<&str>, bytes: usize| {
            let mut response = Response::new(Body::from(vec![b'a'; bytes]));
            response.headers_mut().insert(header::CONTENT_TYPE, kind.parse().unwrap());
            if let Some(coding) = coding {
                response.headers_mut().insert(header::CONTENT_ENCODING, coding.parse().unwrap());
            }
            response
        };
        assert!(is_worth_it(&response("application/json", None, 1024)));
        assert!(is_worth_it(&response("text/html; charset=utf-8", None, 5000)));
        assert!(is_worth_it(&response("image/svg+xml", None, 5000)));
        assert!(!is_worth_it(&response("application/json", None, 1023)));
        assert!(!is_worth_it(&response("application/pdf", None, 5000)));
        assert!(!is_worth_it(&response("application/json", Some("gzip"), 5000)));
        let mut refused = response("application/json", None, 5000);
        *refused.status_mut() = StatusCode::NOT_MODIFIED;
        assert!(!is_worth_it(&refused));
    }
}
