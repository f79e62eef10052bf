//! Where people reach an academy.

use http::{HeaderMap, Uri, header, uri::Authority};

/// The absolute address of `path` (with its query, if any) on a host (with its port, if any): `https`, and `http` on
/// `localhost` and below it, where no certificate authority vouches for anything.
///
/// # Errors
/// [`http::Error`] when the two make no address.
pub fn public_url(host: &str, path: &str) -> Result<Uri, http::Error> {
    let scheme = if is_this_machine(host) { "http" } else { "https" };
    Ok(format!("{scheme}://{host}{path}").parse::<Uri>()?)
}

/// Whether a host (with its port, if any) is `localhost` or below it (RFC 6761 §6.3).
pub fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.ends_with(".localhost")
}

/// The host with the port that the request names, on the machine of whoever develops: elsewhere an academy has none. On Spin it is
/// the target that names it, not a header.
pub fn with_local_port(host: String, headers: &HeaderMap, target: &Uri) -> String {
    if !is_this_machine(&host) {
        return host;
    }
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let named = named.or_else(|| target.authority().map(Authority::as_str));
    let port = named.and_then(|named| named.rsplit_once(':')).and_then(|(_, port)| port.parse::<u16>().ok());
    port.map_or(host.clone(), |port| format!("{host}:{port}"))
}
