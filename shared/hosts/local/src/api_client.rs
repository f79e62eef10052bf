//! A client of the API as people's programs are: JSON over HTTP with a bearer token. The demo content and the
//! journey go through it, so that they use nothing that a person could not.

use akademi_api::ports::HttpClient;
use anyhow::{Context, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use serde_json::Value;
use std::sync::Arc;

/// Calls the API of one academy as one person.
#[derive(Clone)]
pub struct ApiClient {
    http: Arc<dyn HttpClient>,
    base: String,
    token: Option<String>,
}

/// An answer with its body in memory.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl ApiClient {
    /// `base` is the academy's own address, as `http://umraniye.localhost:3000`.
    pub fn new(http: Arc<dyn HttpClient>, base: impl Into<String>) -> Self {
        Self { http, base: base.into().trim_end_matches('/').to_owned(), token: None }
    }

    /// The same academy as the holder of `token`.
    pub fn signed_in(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends a request with these headers beside the token.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base)).body(body)?;
        request.headers_mut().extend(headers.iter().cloned());
        let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
        if let (Some(authority), false) = (authority, request.headers().contains_key(header::HOST)) {
            request.headers_mut().insert(header::HOST, HeaderValue::try_from(authority)?);
        }
        if let Some(token) = &self.token {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}"))?);
        }
        let response = self.http.send(request).await?;
        let (parts, body) = response.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Visits an address anywhere as a browser does: no token, a form as the body of a POST, no redirect followed.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn visit(&self, method: Method, address: &str, form: &str) -> anyhow::Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(address)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::copy_from_slice(form.as_bytes()))?;
        let (parts, body) = self.http.send(request).await?.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Sends a file to a signed address: no token.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn upload(&self, address: &str, content_type: &str, file: Bytes) -> anyhow::Result<Answer> {
        let request = Request::put(address).header(header::CONTENT_TYPE, content_type).body(file)?;
        let (parts, body) = self.http.send(request).await?.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// # Errors
    /// When no whole answer comes.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// Sends `json` by `method`.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn send_json(&self, method: Method, path: &str, json: &Value) -> anyhow::Result<Answer> {
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.send(method, path, &[kind], Bytes::from(serde_json::to_vec(json)?)).await
    }

    /// # Errors
    /// When no whole answer comes.
    pub async fn post(&self, path: &str, json: &Value) -> anyhow::Result<Answer> {
        self.send_json(Method::POST, path, json).await
    }

    /// Asks for an account, with consent to whatever the academy requires it for; the link that confirms the address goes out
    /// by mail.
    ///
    /// # Errors
    /// When the academy refuses.
    pub async fn register(&self, name: &str, email: &str, password: &str) -> anyhow::Result<()> {
        let asked = self.get("/api/v1/consents").await?.expect(StatusCode::OK)?;
        let asked = asked.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
        let required = asked.iter().filter(|asked| asked.get("required") == Some(&Value::Bool(true)));
        let consents: Vec<_> = required
            .map(|asked| {
                serde_json::json!({ "kind": asked.get("kind"), "version": asked.get("version"),
                                    "language": asked.pointer("/texts/0/language") })
            })
            .collect();
        let body =
            serde_json::json!({ "name": name, "email": email, "password": password, "consents": consents });
        self.post("/api/v1/auth/register", &body).await?.expect(StatusCode::ACCEPTED).map(drop)
    }

    /// Confirms an address with the token of that link.
    ///
    /// # Errors
    /// When the academy refuses.
    pub async fn confirm(&self, token: &str) -> anyhow::Result<()> {
        let body = serde_json::json!({ "token": token });
        self.post("/api/v1/auth/confirm", &body).await?.expect(StatusCode::NO_CONTENT).map(drop)
    }

    /// This academy as the person with this password.
    ///
    /// # Errors
    /// When the academy refuses.
    pub async fn sign_in(&self, email: &str, password: &str) -> anyhow::Result<Self> {
        let body = serde_json::json!({ "email": email, "password": password });
        let tokens = self.post("/api/v1/auth/login", &body).await?.expect(StatusCode::OK)?;
        Ok(self.signed_in(tokens.text("access_token")?))
    }
}

impl Answer {
    /// The body as JSON if the status is the expected one.
    ///
    /// # Errors
    /// Another status, with what the answer says.
    pub fn expect(&self, status: StatusCode) -> anyhow::Result<Value> {
        if self.status != status {
            let said: String = String::from_utf8_lossy(&self.body).chars().take(500).collect();
            bail!("expected {status}, got {}: {said}", self.status);
        }
        if self.body.is_empty() { Ok(Value::Null) } else { self.json() }
    }

    /// # Errors
    /// When the body is no JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("the answer is no JSON")
    }
}

/// Reading answers without a type for each.
pub trait JsonExt {
    /// The text at `key`.
    ///
    /// # Errors
    /// When there is none.
    fn text(&self, key: &str) -> anyhow::Result<String>;
}

impl JsonExt for Value {
    fn text(&self, key: &str) -> anyhow::Result<String> {
        let value = self.get(key).and_then(Value::as_str);
        value.map(str::to_owned).with_context(|| format!("the answer has no text {key:?}"))
    }
}
