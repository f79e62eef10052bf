//! Extractors whose refusals are problem documents: JSON bodies, path parameters, query parameters.

use axum::{
    body::HttpBody,
    extract::{FromRequest, FromRequestParts, Path, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};

use crate::problem::Problem;

/// The size that a body has at most unless its handler says otherwise, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A JSON body of at most `LIMIT` bytes; also a JSON answer.
#[derive(Debug)]
pub struct Body<T, const LIMIT: usize = BODY_LIMIT>(pub T);

/// The whole body, refused as soon as it is known to be larger than `limit` bytes.
pub async fn read_bytes(body: axum::body::Body, limit: usize) -> Result<bytes::Bytes, Problem> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Problem::too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_large()),
        Err(error) => Err(Problem::malformed_body().because(error)),
    }
}

/// `bytes` as JSON: syntax is 400, meaning is 422 with the field's path.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        if error.inner().is_data() {
            Problem::field(error.path().to_string(), without_position(error.inner()))
        } else {
            Problem::malformed_json()
        }
    })?;
    deserializer.end().map_err(|_| Problem::malformed_json())?;
    Ok(value)
}

/// serde_json ends its messages with ` at line 1 column 2`, which says nothing to the person at a form.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.rsplit_once(" at line ").map_or(message.clone(), |(text, _)| text.to_owned())
}

fn is_json(parts: &http::HeaderMap) -> bool {
    let Some(value) = parts.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut sections = value.split(';').map(str::trim);
    let essence = sections.next().unwrap_or_default();
    let charset_fits = sections
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.eq_ignore_ascii_case("charset"))
        .all(|(_, charset)| charset.trim_matches('"').eq_ignore_ascii_case("utf-8"));
    essence.eq_ignore_ascii_case("application/json") && charset_fits
}

impl<T: DeserializeOwned, S: Sync, const LIMIT: usize> FromRequest<S> for Body<T, LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::unsupported_media_type());
        }
        let bytes = read_bytes(request.into_body(), LIMIT).await?;
        parse_json(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Body<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
            }
            Err(error) => Problem::broken(error).into_response(),
        }
    }
}

/// Path parameters. What cannot be an id names nothing: 404.
#[derive(Debug)]
pub struct PathParam<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathParam<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::not_found().because(rejection)),
        }
    }
}

/// Query parameters: a wrong or unknown one is 422 with its name.
#[derive(Debug)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let deserializer = serde_urlencoded::Deserializer::new(form_pairs(query));
        serde_path_to_error::deserialize(deserializer)
            .map(Self)
            .map_err(|error| Problem::field(error.path().to_string(), error.inner()))
    }
}

fn form_pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}
