//! Where people reach an academy.

use http::Uri;

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
