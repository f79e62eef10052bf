//! What stands before every handler: the route's row, the academy, who is asking, the log line, the form of
//! errors.

use akademi_domain::{ids::TenantId, time::Timestamp};
use akademi_functions::{Access, Route, Routes, http_method::Method as RowMethod};
use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use std::sync::Arc;

use crate::{
    authorization::{check_caller, shown_token},
    body::read_bytes,
    caller::{Academy, AcademyHost, Caller, RequestId},
    compression::Compression,
    cors,
    host_name::host_of,
    ports::Ports,
    problem::Problem,
    security_headers,
    signed::{PlaneKeys, Purpose},
    token::TokenVerifier,
};

/// The largest request that passes between the planes, in bytes (API Gateway and Lambda end at 10 and 6 MB).
pub const PLANE_BODY_LIMIT: usize = 4 * 1024 * 1024;

/// The most that a request's headers may weigh together, in bytes: the least that one of our hosts takes.
const HEADER_LIMIT: usize = 32 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the gate asks the edge store.
pub trait Directory: Send + Sync {
    /// The active academy that answers on `host` (lower case, no port).
    fn academy<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Option<Academy>, Problem>>;

    /// The caller's session, if it has neither been ended nor run out.
    fn live_session<'a>(
        &'a self,
        caller: &'a Caller,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<LiveSession>, Problem>>;
}

/// What is known of a session that lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveSession {
    /// When the person last proved on that device who they are.
    pub authenticated_at: Timestamp,
    /// Tokens from before that moment, whole seconds as theirs, show other permissions than the person has.
    pub permissions_since: Timestamp,
}

/// How a request proves itself, by plane.
enum Door {
    /// The academy by the request's host, the person by an access token.
    Edge { tokens: TokenVerifier, directory: Arc<dyn Directory>, planes: Option<Arc<PlaneKeys>> },
    /// Both by `origin`'s signed header, and by nothing else.
    Lambda { planes: Arc<PlaneKeys> },
}

struct Inner {
    routes: Routes,
    ports: Ports,
    door: Door,
    compression: Compression,
}

/// The gate of one function.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

impl Gate {
    /// The gate of an edge function. `planes` is for functions with routes that the other plane calls.
    pub fn edge(
        routes: Routes,
        ports: Ports,
        tokens: TokenVerifier,
        directory: Arc<dyn Directory>,
        planes: Option<Arc<PlaneKeys>>,
    ) -> Self {
        Self::new(routes, ports, Door::Edge { tokens, directory, planes })
    }

    /// The gate of a Lambda function.
    pub fn lambda(routes: Routes, ports: Ports, planes: Arc<PlaneKeys>) -> Self {
        Self::new(routes, ports, Door::Lambda { planes })
    }

    fn new(routes: Routes, ports: Ports, door: Door) -> Self {
        // Tokens are never compressed beside what somebody else may have chosen: the length would tell of them (BREACH).
        let compressor = ports
            .compressor
            .clone()
            .filter(|_| !matches!(routes.function, "account" | "auth" | "federation" | "passkeys"));
        Self(Arc::new(Inner { routes, ports, door, compression: Compression::new(compressor) }))
    }

    /// `router` behind this gate.
    pub fn guard(self, router: Router) -> Router {
        router.layer(from_fn_with_state(self, pass))
    }
}

async fn pass(State(Gate(gate)): State<Gate>, mut request: Request, next: Next) -> Response {
    let started = gate.ports.now();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map(MatchedPath::as_str);
    let mut seen = Seen::default();
    let wanted = gate.compression.wanted(&request);
    let is_preflight = gate.is_edge() && cors::is_preflight(&method, request.headers());
    let origin = cors::asking_origin(request.headers()).cloned();

    let answer = match find_row(gate.routes, &method, path) {
        _ if weight(request.headers()) > HEADER_LIMIT => Problem::headers_too_large().into_response(),
        _ if is_preflight => match gate.find_academy(host_of(&request), &mut seen).await {
            Ok(_) => cors::preflight(),
            Err(problem) => problem.into_response(),
        },
        Row::Found(row) => match gate.admit(row, &mut request, &mut seen).await {
            Ok(()) => {
                request.extensions_mut().insert(RequestId(seen.request_id(&gate.ports)));
                next.run(request).await
            }
            Err(problem) => problem.into_response(),
        },
        // `origin` answers what no other function does: its fallback decides, unmatched.
        Row::Unmatched if gate.routes.function == "origin" => {
            request.extensions_mut().insert(RequestId(seen.request_id(&gate.ports)));
            next.run(request).await
        }
        Row::Unmatched => Problem::not_found().into_response(),
        Row::OtherMethods(allow) if method == Method::OPTIONS => {
            (StatusCode::NO_CONTENT, [(header::ALLOW, allow)]).into_response()
        }
        Row::OtherMethods(allow) => Problem::method_not_allowed().allow(allow).into_response(),
    };

    let request_id = seen.request_id(&gate.ports);
    let (mut response, problem) = form(answer, &request_id);
    if let Some(wanted) = wanted {
        response = gate.compression.apply(wanted, seen.tenant, response).await;
    }
    if let Some(academy) = &seen.academy {
        cors::share(response.headers_mut(), academy, origin.as_ref(), is_preflight);
    }
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    security_headers::set(response.headers_mut());
    let line = LogLine {
        at: started,
        request_id: &request_id,
        function: gate.routes.function,
        method: method.as_str(),
        route: path,
        status: response.status().as_u16(),
        milliseconds: gate.ports.now().millis_since(started),
        tenant: seen.tenant,
        problem: problem.as_ref().map(Problem::slug),
        cause: problem.as_ref().and_then(Problem::cause),
    };
    if let Ok(line) = serde_json::to_string(&line) {
        gate.ports.log.line(&line);
    }
    response
}

/// What was learnt about a request on its way in.
#[derive(Default)]
struct Seen {
    request_id: Option<Arc<str>>,
    tenant: Option<TenantId>,
    /// The academy that a person's request came to.
    academy: Option<Academy>,
}

impl Seen {
    /// The id that `origin` gave, or a new one.
    fn request_id(&mut self, ports: &Ports) -> Arc<str> {
        let new = || format!("{:032x}", u128::from_be_bytes(ports.random())).into();
        self.request_id.get_or_insert_with(new).clone()
    }
}

#[derive(serde::Serialize)]
struct LogLine<'a> {
    at: Timestamp,
    request_id: &'a str,
    function: &'a str,
    method: &'a str,
    /// The route's own spelling: ids and serials stay out of the log.
    route: Option<&'a str>,
    status: u16,
    milliseconds: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
}

enum Row {
    Found(&'static Route),
    /// The path is known, the method is not: the `Allow` header.
    OtherMethods(String),
    Unmatched,
}

fn find_row(routes: Routes, method: &Method, path: Option<&str>) -> Row {
    let Some(path) = path else { return Row::Unmatched };
    if let Some(row) = RowMethod::of(method).and_then(|method| routes.find(method, path)) {
        return Row::Found(row);
    }
    allow_header(routes, path).map_or(Row::Unmatched, Row::OtherMethods)
}

/// The methods that `path` (a route's own spelling) takes, for an `Allow` header; nothing for an unknown path.
fn allow_header(routes: Routes, path: &str) -> Option<String> {
    let mut methods: Vec<_> = routes.of_path(path).map(|route| route.method.name()).collect();
    if methods.is_empty() {
        return None;
    }
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    Some(methods.join(", "))
}

impl Inner {
    const fn is_edge(&self) -> bool {
        matches!(self.door, Door::Edge { .. })
    }

    /// The academy that answers on `host` (see [`host_of`]).
    ///
    /// # Errors
    /// `unknown-academy`; `unavailable` when the store cannot be asked.
    async fn find_academy(&self, host: Option<String>, seen: &mut Seen) -> Result<Academy, Problem> {
        let Door::Edge { directory, .. } = &self.door else { return Err(Problem::unknown_academy()) };
        let host = host.ok_or_else(Problem::unknown_academy)?;
        let academy = directory.academy(&host).await?.ok_or_else(Problem::unknown_academy)?;
        seen.tenant = Some(academy.id);
        seen.academy = Some(academy.clone());
        Ok(academy)
    }

    async fn admit(&self, row: &Route, request: &mut Request, seen: &mut Seen) -> Result<(), Problem> {
        match &self.door {
            Door::Edge { tokens, directory, planes } => match row.access {
                Access::AnyHost => Ok(()),
                // Providers call the other plane.
                Access::Provider => Err(Problem::not_found()),
                Access::OtherPlane => {
                    let planes =
                        planes.as_ref().ok_or_else(|| Problem::broken("this function has no plane keys"))?;
                    self.admit_call(planes, Purpose::Feed, request, seen).await
                }
                Access::Public | Access::GuestOrSignedIn | Access::SignedIn | Access::Needs(_) => {
                    let host = host_of(request);
                    let public_host = AcademyHost(host.clone().unwrap_or_default());
                    let academy = self.find_academy(host, seen).await?;
                    if row.feature.is_some_and(|feature| academy.profile.features_off.has(feature)) {
                        return Err(Problem::feature_off());
                    }
                    let shown = shown_token(row, request.headers(), request.uri())?;
                    let now = self.ports.now();
                    let caller = check_caller(tokens, directory.as_ref(), row, shown, &academy, now).await?;
                    if let Some(caller) = caller {
                        request.extensions_mut().insert(caller);
                    }
                    request.extensions_mut().insert(academy);
                    request.extensions_mut().insert(public_host);
                    Ok(())
                }
            },
            // What a provider says is verified by the handler, under the account that the path names.
            Door::Lambda { .. } if row.access == Access::Provider => Ok(()),
            Door::Lambda { planes } => {
                let purpose = if row.access == Access::OtherPlane { Purpose::Wake } else { Purpose::Origin };
                self.admit_call(planes, purpose, request, seen).await?;
                let caller = request.extensions().get::<Caller>();
                match row.access {
                    Access::SignedIn if caller.is_none() => Err(Problem::not_signed_in()),
                    Access::Needs(_) if caller.is_none() => Err(Problem::not_signed_in()),
                    Access::Needs(permission) if !caller.is_some_and(|caller| caller.may(permission)) => {
                        Err(Problem::forbidden())
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// Lets a signed call of the other plane in and puts what it says into the request.
    async fn admit_call(
        &self,
        planes: &PlaneKeys,
        purpose: Purpose,
        request: &mut Request,
        seen: &mut Seen,
    ) -> Result<(), Problem> {
        let body = std::mem::replace(request.body_mut(), Body::empty());
        let body = read_bytes(request.headers(), body, PLANE_BODY_LIMIT).await?;
        let call = planes
            .verify(purpose, request.method(), request.uri(), request.headers(), &body, self.ports.now())
            .map_err(|error| Problem::token_invalid().because(error))?;
        *request.body_mut() = Body::from(body);
        seen.request_id = Some(call.request_id.as_str().into());
        seen.tenant = call.tenant;
        if let Some(caller) = call.signed_in() {
            request.extensions_mut().insert(caller);
        }
        request.extensions_mut().insert(call);
        Ok(())
    }
}

/// The bytes of all headers' names and values.
fn weight(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// The answer in its final form: a problem rendered, any other bare error status made a problem.
fn form(mut answer: Response, request_id: &str) -> (Response, Option<Problem>) {
    if let Some(problem) = answer.extensions_mut().remove::<Problem>() {
        return (problem.render(request_id), Some(problem));
    }
    let is_formed = answer.headers().contains_key(header::CONTENT_TYPE);
    let status = answer.status();
    if is_formed || !(status.is_client_error() || status.is_server_error()) {
        return (answer, None);
    }
    let problem = match status {
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => Problem::method_not_allowed(),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(),
        _ => Problem::broken(status),
    };
    (problem.render(request_id), Some(problem))
}
