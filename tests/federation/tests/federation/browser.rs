//! A browser without a window: it keeps cookies, and follows what it is told to.

use akademi_api::ports::HttpClient;
use akademi_local::http_client::Network;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri, header};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

pub struct Browser {
    http: Arc<dyn HttpClient>,
    academy: String,
    /// By authority, path and name.
    cookies: Mutex<BTreeMap<(String, String, String), String>>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Page {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The problem's name.
    pub fn slug(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().trim_start_matches("/problems/").to_owned()
    }

    pub fn location(&self) -> String {
        self.headers[header::LOCATION].to_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

/// The parameters of an address.
pub fn query(address: &str) -> BTreeMap<String, String> {
    let address: Uri = address.parse().unwrap();
    form_urlencoded::parse(address.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

impl Browser {
    /// `academy` is its address.
    pub fn new(academy: &str) -> Self {
        Self { http: Network::new(), academy: academy.to_owned(), cookies: Mutex::default() }
    }

    pub async fn send(&self, mut request: Request<Bytes>) -> Page {
        let (authority, path) =
            (request.uri().authority().unwrap().to_string(), request.uri().path().to_owned());
        let sent: Vec<_> = self
            .cookies
            .lock()
            .unwrap()
            .iter()
            .filter(|((of, below, _), _)| *of == authority && path.starts_with(below.as_str()))
            .map(|((_, _, name), value)| format!("{name}={value}"))
            .collect();
        if !sent.is_empty() {
            request.headers_mut().insert(header::COOKIE, sent.join("; ").try_into().unwrap());
        }
        request.headers_mut().insert(header::HOST, authority.as_str().try_into().unwrap());
        let (parts, body) = self.http.send(request).await.unwrap().into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(&authority, cookie.to_str().unwrap());
        }
        Page { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    fn keep(&self, authority: &str, cookie: &str) {
        let mut parts = cookie.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
        let attribute = |name: &str| {
            attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
        };
        let path = attribute("path").unwrap_or("/");
        let is_gone = value.is_empty() || attribute("max-age") == Some("0");
        let key = (authority.to_owned(), path.to_owned(), name.to_owned());
        let mut cookies = self.cookies.lock().unwrap();
        if is_gone {
            cookies.remove(&key)
        } else {
            cookies.insert(key, value.to_owned())
        };
    }

    pub async fn get(&self, address: &str) -> Page {
        self.send(Request::get(address).body(Bytes::new()).unwrap()).await
    }

    /// What a page of the academy does, perhaps for somebody who is signed in.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>, token: Option<&str>) -> Page {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.academy))
            .header("sec-fetch-site", "same-origin");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = match body {
            Some(body) => {
                request.header(header::CONTENT_TYPE, "application/json").body(Bytes::from(body.to_string()))
            }
            None => request.body(Bytes::new()),
        };
        self.send(request.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Option<Value>) -> Page {
        self.ask(Method::POST, path, body, None).await
    }

    /// Begins at the academy; the provider's address.
    pub async fn start(&self, provider: &str) -> String {
        let body = json!({ "return_to": "/account" });
        let begun =
            self.post(&format!("/api/v1/auth/providers/{provider}/start"), Some(body)).await.expect(200);
        begun["url"].as_str().unwrap().to_owned()
    }

    /// The provider's answer comes to the academy, with these parameters.
    pub async fn come_back(&self, provider: &str, parameters: &[(&str, &str)]) -> Page {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.get(&format!("{}/api/v1/auth/providers/{provider}/callback?{query}", self.academy)).await
    }

    pub async fn sign_in(&self, provider: &str) -> Page {
        self.post(&format!("/api/v1/auth/providers/{provider}/sign-in"), None).await
    }

    /// Links what waits in this browser.
    pub async fn link(&self, token: &str) -> Page {
        self.ask(Method::POST, "/api/v1/users/me/identities", None, Some(token)).await
    }

    pub async fn identities(&self, token: &str) -> Vec<Value> {
        let listed =
            self.ask(Method::GET, "/api/v1/users/me/identities", None, Some(token)).await.expect(200);
        listed["data"].as_array().unwrap().clone()
    }

    /// Signs in with a password.
    pub async fn login(&self, email: &str, password: &str) -> Page {
        self.post("/api/v1/auth/login", Some(json!({ "email": email, "password": password }))).await
    }
}

pub fn token(tokens: &Value) -> String {
    tokens["access_token"].as_str().unwrap().to_owned()
}
