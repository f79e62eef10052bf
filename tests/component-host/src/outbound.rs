//! Outbound HTTP: what a component may reach.
//!
//! The rules are Spin's: `allowed_outbound_hosts`, and no private network where the runtime configuration blocks them,
//! whatever a manifest names. And one more: a host that is allowed only by a wildcard never lies in a private network.

use http::Uri;
use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_hooks};

use crate::log::ComponentLog;

/// An entry of `allowed_outbound_hosts` that this host does not understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("allowed_outbound_hosts: {entry:?} {why}")]
pub struct AllowedHostError {
    entry: String,
    why: &'static str,
}

/// One entry of `allowed_outbound_hosts`: `scheme://host[:port]`, each part may be `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    /// `None` is any scheme.
    scheme: Option<String>,
    host: Host,
    ports: Ports,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    /// `*.example.com`, kept as `.example.com`.
    Subdomains(String),
    Named(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ports {
    Any,
    /// From, and up to but not with; a single port is a range of one.
    Range(u32, u32),
}

/// How a destination is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Permission {
    Denied,
    ByWildcard,
    ByName,
}

impl AllowedHost {
    /// Reads an entry whose variables have their values.
    pub fn parse(entry: &str) -> Result<Self, AllowedHostError> {
        let refuse = |why| AllowedHostError { entry: entry.to_owned(), why };
        let (scheme, rest) = entry.trim().split_once("://").ok_or(refuse("has no scheme"))?;
        if scheme != "*" && (scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphabetic())) {
            return Err(refuse("has no valid scheme"));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('/') {
            return Err(refuse("has a path or a network mask"));
        }
        let (host, port) = rest.rsplit_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
        let ports = match port {
            Some("*") => Ports::Any,
            Some(port) => parse_ports(port).ok_or(refuse("has no valid port"))?,
            None => {
                let port = default_port(scheme).ok_or(refuse("needs a port"))?;
                Ports::Range(port.into(), u32::from(port) + 1)
            }
        };
        let host = host.to_ascii_lowercase();
        let host = match host.strip_prefix("*.") {
            _ if host == "*" => Host::Any,
            _ if host.is_empty() => return Err(refuse("has no host")),
            _ if host == "self" || host == "self.alt" || host.ends_with(".spin.internal") => {
                return Err(refuse("is a request to the application itself, which this host does not make"));
            }
            Some(domain) if !domain.contains('*') => Host::Subdomains(format!(".{domain}")),
            None if !host.contains('*') => Host::Named(host),
            _ => return Err(refuse("has a wildcard elsewhere than in front")),
        };
        Ok(Self { scheme: (scheme != "*").then(|| scheme.to_owned()), host, ports })
    }

    fn permission(&self, scheme: &str, host: &str, port: u16) -> Permission {
        let scheme_fits = self.scheme.as_deref().is_none_or(|allowed| allowed == scheme);
        let port_fits = match self.ports {
            Ports::Any => true,
            Ports::Range(from, to) => (from..to).contains(&u32::from(port)),
        };
        if !scheme_fits || !port_fits {
            return Permission::Denied;
        }
        match &self.host {
            Host::Any => Permission::ByWildcard,
            Host::Subdomains(suffix) if host.ends_with(suffix) => Permission::ByWildcard,
            Host::Named(name) if name == host => Permission::ByName,
            Host::Subdomains(_) | Host::Named(_) => Permission::Denied,
        }
    }
}

fn parse_ports(text: &str) -> Option<Ports> {
    match text.split_once("..") {
        Some((from, to)) => {
            Some(Ports::Range(from.parse::<u16>().ok()?.into(), to.parse::<u16>().ok()?.into()))
        }
        None => text.parse::<u16>().ok().map(|port| Ports::Range(port.into(), u32::from(port) + 1)),
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn permission(allowed: &[AllowedHost], uri: &Uri) -> Permission {
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Permission::Denied;
    };
    let Some(port) = uri.port_u16().or_else(|| default_port(scheme)) else {
        return Permission::Denied;
    };
    let host = host.to_ascii_lowercase();
    allowed.iter().map(|entry| entry.permission(scheme, &host, port)).max().unwrap_or(Permission::Denied)
}

/// Addresses of this machine and of networks that are not routed on the Internet (RFC 6890).
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_documentation()
                // RFC 6598, shared by carriers.
                || lies_in(v4, Ipv4Addr::new(100, 64, 0, 0), 10)
                // RFC 6890 §2.1, for protocols.
                || lies_in(v4, Ipv4Addr::new(192, 0, 0, 0), 24)
                // RFC 2544, for measurements.
                || lies_in(v4, Ipv4Addr::new(198, 18, 0, 0), 15)
                // RFC 1112 §4, reserved.
                || lies_in(v4, Ipv4Addr::new(240, 0, 0, 0), 4)
        }
        IpAddr::V6(v6) => {
            v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local()
        }
    }
}

fn lies_in(address: Ipv4Addr, network: Ipv4Addr, prefix_bits: u32) -> bool {
    let mask = u32::MAX << (32 - prefix_bits);
    u32::from(address) & mask == u32::from(network)
}

/// The check in front of each outgoing request of one instance.
pub(crate) struct Outbound {
    pub(crate) allowed: Arc<[AllowedHost]>,
    pub(crate) block_private_networks: bool,
    pub(crate) log: ComponentLog,
}

type Sent = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        response_result: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let uri = request.uri().clone();
        match permission(&self.allowed, &uri) {
            Permission::ByName if !self.block_private_networks => {
                default_hooks().send_request(request, options, response_result)
            }
            Permission::ByName | Permission::ByWildcard => {
                let log = self.log.clone();
                Box::new(async move {
                    let port = uri.port_u16().or_else(|| default_port(uri.scheme_str()?)).unwrap_or(0);
                    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
                    let addresses = tokio::net::lookup_host((host, port)).await.map_err(Error::Connect)?;
                    if addresses.map(|address| address.ip()).any(is_private) {
                        log.host_line(&format!("refused: {uri} lies in a private network"));
                        return Err(Error::DestinationIpProhibited);
                    }
                    Box::into_pin(default_hooks().send_request(request, options, response_result)).await
                })
            }
            Permission::Denied => {
                self.log.host_line(&format!("refused: {uri} is not in allowed_outbound_hosts"));
                Box::new(async { Err(Error::HttpRequestDenied) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entries: &[&str], uri: &str) -> Permission {
        let allowed: Vec<_> = entries.iter().map(|entry| AllowedHost::parse(entry).unwrap()).collect();
        permission(&allowed, &uri.parse().unwrap())
    }

    #[test]
    fn scheme_host_and_port_must_all_fit() {
        let entries = ["https://api.example.com", "http://127.0.0.1:4000", "http://b.example:8000..8002"];
        for uri in [
            "https://api.example.com/x",
            "https://API.example.com:443/",
            "http://127.0.0.1:4000/",
            "http://b.example:8001/",
        ] {
            assert_eq!(check(&entries, uri), Permission::ByName, "{uri}");
        }
        for uri in [
            "http://api.example.com/",
            "https://api.example.com:8443/",
            "https://example.com/",
            "https://x.api.example.com/",
            "http://127.0.0.1:4001/",
            "http://localhost:4000/",
            "https://127.0.0.1:4000/",
            "http://b.example:8002/",
            "/relative",
        ] {
            assert_eq!(check(&entries, uri), Permission::Denied, "{uri}");
        }
        assert_eq!(check(&[], "https://api.example.com/"), Permission::Denied);
    }

    #[test]
    fn wildcards_stand_for_a_scheme_a_host_its_subdomains_or_a_port() {
        assert_eq!(check(&["*://*:*"], "http://a.example:1/"), Permission::ByWildcard);
        assert_eq!(check(&["https://*.example.com"], "https://a.b.example.com/"), Permission::ByWildcard);
        assert_eq!(check(&["https://*.example.com"], "https://example.com/"), Permission::Denied);
        assert_eq!(check(&["https://*.example.com"], "https://badexample.com/"), Permission::Denied);
        assert_eq!(check(&["*://a.example:*"], "https://a.example:9/"), Permission::ByName);
    }

    #[test]
    fn an_entry_that_is_not_understood_is_refused() {
        for entry in [
            "",
            "*",
            "a.example",
            "https://",
            "ht tp://a",
            "https://a/b",
            "https://10.0.0.0/8",
            "ftp://a.example",
            "https://a.*.example",
            "https://a:x",
            "http://self",
            "http://auth.spin.internal",
        ] {
            assert!(AllowedHost::parse(entry).is_err(), "{entry}");
        }
    }

    #[test]
    fn private_networks_are_known() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.1",
            "198.19.255.255",
            "203.0.113.7",
            "240.0.0.1",
            "::1",
            "fc00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "0.0.0.0",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "100.128.0.1", "192.0.1.1", "198.20.0.1", "2606:4700::1111"] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
