//! Where a request comes from, as far as its host knows.

use akademi_api::caller::{ClientAddress, ClientCountry};
use http::{HeaderMap, header, request::Parts};
use serde::Serialize;
use std::net::IpAddr;

/// How much of what a browser says of itself is kept, in characters.
const MAX_DEVICE: usize = 120;

/// The address and the device of whoever asks. Personal data: it is stored sealed, or hashed under a key.
#[derive(Clone, Serialize)]
pub struct Origin {
    pub address: String,
    pub device: String,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
}

impl Origin {
    pub fn new(
        address: Option<&ClientAddress>,
        country: Option<&ClientCountry>,
        headers: &HeaderMap,
    ) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self {
            address: address.map(|address| address.0.clone()).unwrap_or_default(),
            device: agent.chars().filter(|letter| !letter.is_control()).take(MAX_DEVICE).collect(),
            country: country.map(|country| country.0.clone()),
        }
    }

    /// What is counted as one address: an IPv4 address, or an IPv6 network of 64 bits, which is what one subscriber has.
    pub fn network(&self) -> Vec<u8> {
        match self.address.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(IpAddr::V4(address)) => address.octets().to_vec(),
            Ok(IpAddr::V6(address)) => address.octets().into_iter().take(8).collect(),
            Err(_) => self.address.clone().into_bytes(),
        }
    }
}

impl<S: Sync> axum::extract::FromRequestParts<S> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let known = &parts.extensions;
        Ok(Self::new(known.get::<ClientAddress>(), known.get::<ClientCountry>(), &parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_subscriber_is_one_address() {
        let network = |address: &str| {
            Origin { address: address.into(), device: String::new(), country: None }.network()
        };
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
    }
}
