//! Extractors whose refusals are problem documents: JSON bodies, path parameters, query parameters.

use axum::{
    body::HttpBody,
    extract::{FromRequest, FromRequestParts, Path, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};

use crate::problem::Problem;

/// The size that a body has at most unless its handler says otherwise, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A JSON body of at most `LIMIT` bytes; also a JSON answer.
#[derive(Debug)]
pub struct Body<T, const LIMIT: usize = BODY_LIMIT>(pub T);

/// The whole body of a request with these headers, refused as soon as it is known to be larger than `limit` bytes: a length
/// that is announced is refused before anything is read. Bodies themselves do not know it on every host.
pub async fn read_bytes(
    headers: &HeaderMap,
    body: axum::body::Body,
    limit: usize,
) -> Result<bytes::Bytes, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.unwrap_or(body.size_hint().lower()) > limit as u64 {
        return Err(Problem::too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_large()),
        Err(error) => Err(Problem::malformed_body().because(error)),
    }
}

/// `bytes` as a JSON object: syntax is 400, meaning is 422 with the field's path.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // serde takes a list in the place of a struct, its fields in order; an API does not.
    let begins = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = match begins {
        Some(b'{') => serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let message = without_position(error.inner());
            (field_path(&error.path().to_string(), &message), message)
        }),
        _ => Err((String::new(), "must be a JSON object".to_owned())),
    };
    match parsed {
        Ok(value) => {
            deserializer.end().map_err(|_| Problem::malformed_json())?;
            Ok(value)
        }
        // What is wrong with a field is only worth telling if the whole is JSON.
        Err((field, message)) => {
            let text = std::str::from_utf8(bytes).map_err(|_| Problem::malformed_json())?;
            serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| Problem::malformed_json())?;
            Err(Problem::field(field, message))
        }
    }
}

/// The field that an error is about: serde gives the path of the object that lacks a field or has one too many,
/// and the field's name in its message.
fn field_path(path: &str, message: &str) -> String {
    let named = ["missing field `", "unknown field `", "duplicate field `"].iter().find_map(|start| {
        let (name, _) = message.strip_prefix(start)?.split_once('`')?;
        Some(name)
    });
    match (path, named) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => String::new(),
        (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    }
}

/// serde_json ends its messages with ` at line 1 column 2`, which says nothing to the person at a form.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.rsplit_once(" at line ").map_or(message.clone(), |(text, _)| text.to_owned())
}

fn is_json(parts: &HeaderMap) -> bool {
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
        let (parts, body) = request.into_parts();
        let bytes = read_bytes(&parts.headers, body, LIMIT).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its reading is tested")]
    struct Form {
        name: String,
        lessons: Vec<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its reading is tested")]
    struct Inner {
        title: u8,
    }

    #[test]
    fn an_error_names_its_field() {
        for (body, field) in [
            (r#"{"lessons":[]}"#, "name"),
            (r#"{"name":"a","lessons":[],"x":1}"#, "x"),
            (r#"{"name":1,"lessons":[]}"#, "name"),
            (r#"{"name":"a","lessons":[{"title":"a"}]}"#, "lessons[0].title"),
            (r#"{"name":"a","lessons":[{}]}"#, "lessons[0].title"),
            (r#"{"name":"a","lessons":[{"title":1,"y":2}]}"#, "lessons[0].y"),
            ("[]", ""),
        ] {
            let problem = parse_json::<Form>(body.as_bytes()).unwrap_err();
            assert_eq!(problem.errors()[0].field, field, "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_another_problem() {
        for body in ["", "{", r#"{"name":"a","lessons":[]} x"#, r#"{"x":"#, "{\"name\":\"\u{0}"] {
            assert_eq!(parse_json::<Form>(body.as_bytes()).unwrap_err().slug(), "malformed-json", "{body}");
        }
    }
}
