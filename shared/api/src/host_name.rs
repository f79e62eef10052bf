//! The host that a request names.

use axum::extract::Request;
use http::header;

/// The request's host: lower case, without port and trailing dot. None for a request that names more than one, in several
/// Host headers or in its target too (RFC 9112 §3.2): whoever stands in front may have taken the other.
pub fn host_of(request: &Request) -> Option<String> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let target = request.uri().authority().map(|authority| host_name(authority.as_str()));
    let Some(host) = named.next() else { return target };
    let host = host_name(host.to_str().ok()?);
    let is_the_only_one = named.next().is_none() && target.is_none_or(|target| target == host);
    is_the_only_one.then_some(host)
}

fn host_name(host_and_port: &str) -> String {
    let name = host_and_port.rsplit_once(':').map_or(host_and_port, |(name, _)| name);
    name.trim_end_matches('.').to_ascii_lowercase()
}
