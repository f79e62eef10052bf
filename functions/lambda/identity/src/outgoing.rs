//! Requests to providers: to public addresses only, within five seconds, answers of a megabyte at most, no redirects followed.
//!
//! Where a provider answers is what an academy's staff wrote, or what that address said: neither may make this plane speak to
//! its own network (server-side request forgery). The address is looked at after the name is resolved, and the connection goes
//! to that very address.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{
            HttpConnector,
            dns::{GaiResolver, Name},
        },
    },
    rt::TokioExecutor,
};
use std::{
    error::Error,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
    vec,
};
use tower_service::Service;

const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// No whole answer came, or none was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("an address without TLS")]
    Insecure,
    #[error("an address of a private network")]
    Private,
    #[error("{0}")]
    Failed(String),
}

/// The client of providers.
pub struct Outgoing {
    client: Client<HttpsConnector<HttpConnector<PublicResolver>>, Full<Bytes>>,
    trusted: Arc<[String]>,
}

impl Outgoing {
    /// `trusted` hosts, at one port (`host:port`) or at any, may be private and speak without TLS.
    pub fn new(trusted: &[&str]) -> Self {
        let trusted: Arc<[String]> = trusted.iter().map(|&one| one.to_owned()).collect();
        let names =
            trusted.iter().map(|one| one.rsplit_once(':').map_or(&**one, |(name, _)| name).to_owned());
        let mut http = HttpConnector::new_with_resolver(PublicResolver {
            system: GaiResolver::new(),
            trusted: names.collect(),
        });
        http.enforce_http(false);
        http.set_connect_timeout(Some(TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        // A connection is as old as the look at its address: none is kept.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Self { client, trusted }
    }

    /// Whether providers may be asked there, as far as the address itself tells.
    ///
    /// # Errors
    /// [`NoAnswer::Insecure`], [`NoAnswer::Private`]
    pub fn check(&self, uri: &Uri) -> Result<(), NoAnswer> {
        let authority = uri.authority().ok_or(NoAnswer::Insecure)?;
        // A name and password in an address are somebody's mistake or trick.
        if authority.as_str().contains('@') {
            return Err(NoAnswer::Insecure);
        }
        if self.trusted.iter().any(|trusted| trusted == authority.as_str() || trusted == authority.host()) {
            return Ok(());
        }
        if uri.scheme_str() != Some("https") {
            return Err(NoAnswer::Insecure);
        }
        let host = authority.host().trim_matches(['[', ']']);
        if host.parse::<IpAddr>().is_ok_and(|address| !is_public(address)) {
            return Err(NoAnswer::Private);
        }
        Ok(())
    }

    /// # Errors
    /// [`NoAnswer`]
    pub async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, NoAnswer> {
        self.check(request.uri())?;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let exchange = async {
            let response = self.client.request(request.map(Full::new)).await.map_err(failed)?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(failed)?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        tokio::time::timeout(TIMEOUT, exchange).await.map_err(failed)?
    }

    /// # Errors
    /// [`NoAnswer`]
    pub async fn get(&self, uri: Uri) -> Result<Response<Bytes>, NoAnswer> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri;
        self.send(request).await
    }

    /// Sends a form, perhaps with an `Authorization` header.
    ///
    /// # Errors
    /// [`NoAnswer`]
    pub async fn post_form(
        &self,
        uri: Uri,
        form: &[(&str, &str)],
        authorization: Option<HeaderValue>,
    ) -> Result<Response<Bytes>, NoAnswer> {
        let mut request = Request::new(Bytes::from(encoded(form)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        self.send(request).await
    }
}

/// `path` on a host.
///
/// # Errors
/// [`http::uri::InvalidUri`] when the two make no address.
pub fn below(host: &Uri, path: &str) -> Result<Uri, http::uri::InvalidUri> {
    format!("{}{path}", host.to_string().trim_end_matches('/')).parse()
}

/// `base`, with the query that it may have, and these parameters.
///
/// # Errors
/// [`http::uri::InvalidUri`] when the two make no address.
pub fn with_query(base: &Uri, parameters: &[(&str, &str)]) -> Result<Uri, http::uri::InvalidUri> {
    let joint = if base.query().is_some() { '&' } else { '?' };
    format!("{base}{joint}{}", encoded(parameters)).parse()
}

/// `application/x-www-form-urlencoded`.
pub fn encoded(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// With what lies behind the error: the client says only at which step it failed.
fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> NoAnswer {
    let error = error.into();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    NoAnswer::Failed(text)
}

/// Resolves names to public addresses, and trusted ones to any.
#[derive(Clone)]
struct PublicResolver {
    system: GaiResolver,
    trusted: Arc<[String]>,
}

impl Service<Name> for PublicResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.system.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let is_trusted = self.trusted.iter().any(|trusted| trusted == name.as_str());
        let resolved = self.system.call(name);
        Box::pin(async move {
            let mut addresses: Vec<_> = resolved.await?.collect();
            if !is_trusted {
                addresses.retain(|address| is_public(address.ip()));
            }
            if addresses.is_empty() {
                return Err(io::Error::other("the name has no public address"));
            }
            Ok(addresses.into_iter())
        })
    }
}

/// Whether an address is somebody's on the Internet: none of the IANA special-purpose registries (RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && b & 0xfe == 18)
        || a >= 240;
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    // An IPv4 address behind a translator (RFC 6052) or 6to4 (RFC 3056) leads to that address.
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    if [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return is_public_v4(v4(g, h));
    }
    if a == 0x2002 {
        return is_public_v4(v4(b, c));
    }
    // 2000::/3 is what is given out; of that, 2001::/23 is for protocols and 2001:db8::/32 and 3fff::/20 for documents.
    a & 0xe000 == 0x2000 && !(a == 0x2001 && (b < 0x200 || b == 0xdb8)) && !(a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "64:ff9b:1::1",
            "2001::1",
            "100::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "172.217.20.142", "2a00:1450:4001:82a::200e", "64:ff9b::101:101"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_address_is_https_and_public_or_trusted() {
        let outgoing = Outgoing::new(&["127.0.0.1:4000"]);
        let check = |uri: &str| outgoing.check(&uri.parse().unwrap());
        assert_eq!(check("https://accounts.google.com/x"), Ok(()));
        assert_eq!(check("http://127.0.0.1:4000/x"), Ok(()));
        assert_eq!(check("http://accounts.google.com/"), Err(NoAnswer::Insecure));
        assert_eq!(check("http://127.0.0.1:4001/"), Err(NoAnswer::Insecure));
        assert_eq!(check("https://127.0.0.1:4001/"), Err(NoAnswer::Private));
        assert_eq!(check("https://[::1]/"), Err(NoAnswer::Private));
        assert_eq!(check("https://169.254.169.254/latest/meta-data"), Err(NoAnswer::Private));
        assert_eq!(check("https://user@127.0.0.1:4000/"), Err(NoAnswer::Insecure));
        assert_eq!(check("/x"), Err(NoAnswer::Insecure));
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_private_address_is_not_asked() {
        let error = Outgoing::new(&[]).get(Uri::from_static("https://localhost:1/")).await.unwrap_err();
        assert!(matches!(error, NoAnswer::Failed(_)), "{error}");
        let mut resolver = PublicResolver { system: GaiResolver::new(), trusted: Arc::from([]) };
        let resolved = resolver.call("localhost".parse().unwrap()).await;
        assert_eq!(resolved.unwrap_err().to_string(), "the name has no public address");
        let mut lax =
            PublicResolver { system: GaiResolver::new(), trusted: Arc::from(["localhost".to_owned()]) };
        assert!(lax.call("localhost".parse().unwrap()).await.is_ok(), "without the check it is asked");
    }
}
