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
use http::{HeaderMap, HeaderName, header, uri::PathAndQuery};

use crate::Origin;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What a function on the Lambda side may want to know of a request …
const PASSED_ON: [HeaderName; 4] =
    [header::ACCEPT, header::ACCEPT_LANGUAGE, header::CONTENT_TYPE, header::IF_NONE_MATCH];

/// … and what a person's client may want to know of its answer.
const PASSED_BACK: [HeaderName; 9] = [
    header::ALLOW,
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
    header::VARY,
    IDEMPOTENT_REPLAYED,
];

pub async fn forward(
    State(origin): State<Origin>,
    academy: Academy,
    RequestId(request_id): RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let body = read_bytes(body, PLANE_BODY_LIMIT).await?;
    let text = |name: HeaderName| -> Result<Option<String>, Problem> {
        let Some(value) = parts.headers.get(&name) else { return Ok(None) };
        value.to_str().map(|value| Some(value.to_owned())).map_err(|_| Problem::malformed_body())
    };
    let caller = parts.extensions.get::<Caller>();
    let context = CallContext {
        request_id: request_id.to_string(),
        tenant: Some(academy.id),
        host: text(header::HOST)?,
        client: parts.extensions.get::<ClientAddress>().map(|address| address.0.clone()),
        idempotency_key: text(IDEMPOTENCY_KEY)?,
        caller: caller.map(|caller| CallCaller {
            sub: caller.user,
            sid: caller.session,
            prm: caller.permissions.bits(),
        }),
    };
    let target = parts.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
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

fn pick(from: &mut HeaderMap, names: &[HeaderName]) -> HeaderMap {
    names.iter().filter_map(|name| from.remove(name).map(|value| (name.clone(), value))).collect()
}
