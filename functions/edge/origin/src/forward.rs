//! A person's request goes on to Lambda.

use akademi_api::{
    Academy, Caller, Problem,
    body::read_bytes,
    caller::{ClientAddress, RequestId},
    gate::PLANE_BODY_LIMIT,
    plane_client::PlaneCall,
    signed::{CallCaller, CallContext, Purpose},
};
use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use http::{HeaderMap, HeaderName, Uri, header, uri::PathAndQuery};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use std::borrow::Cow;

use crate::Origin;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Of an export: whether there is more than it holds.
const AKADEMI_TRUNCATED: HeaderName = HeaderName::from_static("akademi-truncated");

/// What a function on the Lambda side may want to know of a request …
const PASSED_ON: [HeaderName; 4] =
    [header::ACCEPT, header::ACCEPT_LANGUAGE, header::CONTENT_TYPE, header::IF_NONE_MATCH];

/// … and what a person's client may want to know of its answer.
const PASSED_BACK: [HeaderName; 10] = [
    header::ALLOW,
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
    header::VARY,
    IDEMPOTENT_REPLAYED,
    AKADEMI_TRUNCATED,
];

/// What no segment of a path holds as it is: all but RFC 3986's `pchar`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

pub async fn forward(
    State(origin): State<Origin>,
    academy: Academy,
    RequestId(request_id): RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let body = read_bytes(&parts.headers, body, PLANE_BODY_LIMIT).await?;
    let text = |name: HeaderName| -> Result<Option<String>, Problem> {
        let Some(value) = parts.headers.get(&name) else { return Ok(None) };
        value.to_str().map(|value| Some(value.to_owned())).map_err(|_| Problem::malformed_body())
    };
    let caller = parts.extensions.get::<Caller>();
    let context = CallContext {
        request_id: request_id.to_string(),
        tenant: Some(academy.id),
        // WASI HTTP has no Host header: there it is the address's own.
        host: text(header::HOST)?.or_else(|| parts.uri.authority().map(ToString::to_string)),
        client: parts.extensions.get::<ClientAddress>().map(|address| address.0.clone()),
        idempotency_key: text(IDEMPOTENCY_KEY)?,
        caller: caller.map(|caller| CallCaller {
            sub: caller.user,
            sid: caller.session,
            prm: caller.permissions.bits(),
        }),
    };
    let target = normal(&parts.uri)?;
    let headers = pick(&mut parts.headers, &PASSED_ON);
    let now = origin.edge.ports.now();
    let call = PlaneCall {
        purpose: Purpose::Origin,
        method: parts.method,
        target,
        headers,
        body,
        context: &context,
    };
    let answer = origin.lambda.call(call, now).await?;

    let (mut answered, body) = answer.into_parts();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = answered.status;
    *response.headers_mut() = pick(&mut answered.headers, &PASSED_BACK);
    Ok(response)
}

/// The address with no character escaped that a path may hold as it is (RFC 3986 §3.3, §6.2.2): API Gateway decodes paths,
/// so the other plane would check the signature of another spelling.
fn normal(uri: &Uri) -> Result<PathAndQuery, Problem> {
    let Some(target) = uri.path_and_query().filter(|target| target.path().contains('%')) else {
        return Ok(uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/")));
    };
    let segments = target.path().split('/').map(|segment| {
        let decoded: Cow<'_, [u8]> = percent_decode_str(segment).into();
        percent_encode(&decoded, ESCAPED).to_string()
    });
    let path = segments.collect::<Vec<_>>().join("/");
    let target = target.query().map_or(path.clone(), |query| format!("{path}?{query}"));
    PathAndQuery::try_from(target).map_err(|_| Problem::not_found())
}

fn pick(from: &mut HeaderMap, names: &[HeaderName]) -> HeaderMap {
    names.iter().filter_map(|name| from.remove(name).map(|value| (name.clone(), value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling_on_its_way_to_lambda() {
        for (asked, sent) in [
            ("/a/b?q=%41", "/a/b?q=%41"),
            ("/%61/%c5%9f?q", "/a/%C5%9F?q"),
            ("/%40%3a/a%20b", "/@:/a%20b"),
            ("/%2F/%25/%3F%23", "/%2F/%25/%3F%23"),
        ] {
            assert_eq!(normal(&asked.parse().unwrap()).unwrap(), sent, "{asked}");
        }
    }
}
