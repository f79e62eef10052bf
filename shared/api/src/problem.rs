//! Errors as RFC 9457 problem details. What a person is told and what the log is told are two fields, so that
//! internals cannot leak by accident.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use std::{borrow::Cow, fmt};

use crate::rate_limit;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The field's path, as `lessons[2].title`.
    pub field: String,
    /// What is wrong with it, for a person.
    pub message: String,
}

/// An error answer.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    slug: &'static str,
    detail: Cow<'static, str>,
    /// What few problems have; boxed, so that a `Result` of one stays small.
    more: Option<Box<More>>,
}

#[derive(Debug, Clone, Default)]
struct More {
    errors: Vec<FieldError>,
    internal: Option<String>,
    retry_after_seconds: Option<u32>,
    allow: Option<String>,
}

/// The body of an error answer (`application/problem+json`).
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument<'a> {
    /// A stable name of the kind of problem, as a relative reference.
    #[serde(rename = "type")]
    #[schema(example = "/problems/not-found")]
    pub kind: String,
    pub title: &'a str,
    pub status: u16,
    /// What happened and what helps, for a person.
    pub detail: &'a str,
    /// One entry per field that is wrong (status 422).
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub errors: &'a [FieldError],
    /// The request's id, as it stands in the log.
    pub request_id: &'a str,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident, $status:ident, $slug:literal, $detail:literal;)+) => {$(
        $(#[$doc])*
        pub const fn $name() -> Self {
            Self::new(StatusCode::$status, $slug, $detail)
        }
    )+};
}

impl Problem {
    pub const fn new(status: StatusCode, slug: &'static str, detail: &'static str) -> Self {
        Self { status, slug, detail: Cow::Borrowed(detail), more: None }
    }

    kinds! {
        not_found, NOT_FOUND, "not-found", "There is nothing here.";
        unknown_academy, NOT_FOUND, "unknown-academy", "No academy answers on this host.";
        feature_off, NOT_FOUND, "feature-off", "This academy has switched this off.";
        method_not_allowed, METHOD_NOT_ALLOWED, "method-not-allowed", "This address does not take that method.";
        malformed_json, BAD_REQUEST, "malformed-json", "The body is not well-formed JSON in UTF-8.";
        malformed_body, BAD_REQUEST, "malformed-body", "The body could not be read.";
        unsupported_media_type, UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body must be application/json.";
        too_large, PAYLOAD_TOO_LARGE, "too-large", "The body is larger than this address takes.";
        headers_too_large, REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", "The request's headers are larger than 32 KB together.";
        invalid, UNPROCESSABLE_ENTITY, "invalid-request", "Some fields are not as they must be.";
        not_signed_in, UNAUTHORIZED, "not-signed-in", "Sign in first: send an access token.";
        token_expired, UNAUTHORIZED, "token-expired", "The access token has expired: refresh it.";
        token_invalid, UNAUTHORIZED, "token-invalid", "The token is not valid here.";
        session_ended, UNAUTHORIZED, "session-ended", "This session has ended: sign in again.";
        wrong_credentials, UNAUTHORIZED, "wrong-credentials", "The e-mail address or the password is wrong.";
        forbidden, FORBIDDEN, "forbidden", "You may not do this.";
        cross_site_request, FORBIDDEN, "cross-site-request", "A cookie counts only for requests from pages of the academy's own host.";
        step_up_required, FORBIDDEN, "step-up-required", "Prove once more who you are: send your password or a code to /api/v1/auth/step-up.";
        too_many_requests, TOO_MANY_REQUESTS, "too-many-requests", "Too many attempts from your address: wait a moment.";
        conflict, CONFLICT, "conflict", "Somebody changed this at the same time: read it again and retry.";
        people_limit, CONFLICT, "people-limit", "This academy has as many people as it may: ask its staff.";
        internal, INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side.";
        unavailable, SERVICE_UNAVAILABLE, "unavailable", "The service is busy: try again in a moment.";
    }

    /// Something broke that the caller cannot mend; `cause` goes to the log only.
    pub fn broken(cause: impl fmt::Display) -> Self {
        Self::internal().because(cause)
    }

    /// One field is wrong.
    pub fn field(field: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::invalid().with_errors(vec![FieldError { field: field.into(), message: message.to_string() }])
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.more().errors = errors;
        self
    }

    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The cause, for the log only.
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.more().internal = Some(cause.to_string());
        self
    }

    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.more().retry_after_seconds = Some(seconds);
        self
    }

    /// The methods that this address takes, for a 405 (RFC 9110 §15.5.6).
    pub fn allow(mut self, methods: String) -> Self {
        self.more().allow = Some(methods);
        self
    }

    pub const fn status(&self) -> StatusCode {
        self.status
    }

    pub const fn slug(&self) -> &'static str {
        self.slug
    }

    pub fn errors(&self) -> &[FieldError] {
        self.more.as_ref().map_or(&[], |more| &more.errors)
    }

    pub fn cause(&self) -> Option<&str> {
        self.more.as_ref()?.internal.as_deref()
    }

    /// The answer itself, with the request's id in it.
    pub fn render(&self, request_id: &str) -> Response {
        let more = self.more.as_deref();
        let document = ProblemDocument {
            kind: format!("/problems/{}", self.slug),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: more.map_or(&[], |more| &more.errors),
            request_id,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = more.and_then(|more| more.retry_after_seconds) {
            headers.insert(header::RETRY_AFTER, seconds.into());
            if self.status == StatusCode::TOO_MANY_REQUESTS {
                rate_limit::tell_standing(headers, "attempts", 0, seconds);
            }
        }
        if let Some(allow) =
            more.and_then(|more| more.allow.as_deref()).and_then(|allow| HeaderValue::from_str(allow).ok())
        {
            headers.insert(header::ALLOW, allow);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// An empty answer that carries the problem to the gate, which renders it with the request's id.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
