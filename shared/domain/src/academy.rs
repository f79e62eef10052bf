//! An academy as its own staff and the platform see it.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

use crate::text::{InvalidForm, text_type};

text_type! {
    /// A host name that a browser can ask for (RFC 1123 §2.1): lower-case labels of ASCII letters, digits and inner hyphens,
    /// at least two of them, at most [`HostName::MAX`] bytes. A name beyond ASCII is written in its `xn--` form.
    HostName, InvalidForm, |text| {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        // The last label of an IPv4 address is a number, that of a name never is.
        let is_name = text.rsplit('.').next().is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_lowercase()));
        if text.len() <= HostName::MAX && text.contains('.') && is_name && text.split('.').all(is_label) {
            Ok(text.to_owned())
        } else {
            Err(InvalidForm("is not a host name in lower-case ASCII"))
        }
    }
}

impl HostName {
    /// The longest name, in bytes.
    pub const MAX: usize = 253;
}

text_type! {
    /// The origin of another site (RFC 6454 §6.2): `https://host` with a port if it is not the scheme's own; `http` only for
    /// this machine.
    WebOrigin, InvalidForm, |text| {
        let invalid = InvalidForm("is not an origin such as https://www.example.org");
        let (scheme, authority) = text.split_once("://").ok_or(invalid)?;
        let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
        let is_here = host == "localhost" || host.ends_with(".localhost");
        let is_host = is_here || host.parse::<HostName>().is_ok();
        let is_port = port.is_none_or(|port| !port.starts_with('0') && port.parse::<u16>().is_ok_and(|port| port != 443));
        if is_host && is_port && (scheme == "https" || scheme == "http" && is_here) { Ok(text.to_owned()) } else { Err(invalid) }
    }
}

/// What pages of academies, their mails and their texts can be read in, as BCP 47 names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageLanguage {
    Tr,
    En,
}

impl PageLanguage {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tr => "tr",
            Self::En => "en",
        }
    }
}

/// A language that no page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an unknown language")]
pub struct UnknownLanguage;

impl FromStr for PageLanguage {
    type Err = UnknownLanguage;

    fn from_str(name: &str) -> Result<Self, UnknownLanguage> {
        [Self::Tr, Self::En].into_iter().find(|language| language.name() == name).ok_or(UnknownLanguage)
    }
}

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $text:tt;)+) => {
        /// What an academy may switch off.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum Feature {$(
            $(#[$doc])* #[serde(rename = $text)] $name,
        )+}

        impl Feature {
            pub const ALL: &[Feature] = &[$(Feature::$name),+];

            pub const fn name(self) -> &'static str {
                match self { $(Feature::$name => $text),+ }
            }

            const fn bit(self) -> u32 {
                match self { $(Feature::$name => 1 << $bit),+ }
            }
        }
    };
}

features! {
    /// Anybody may make an account; otherwise people are invited.
    Registration = 0, "registration";
    /// Courses are sold: orders, coupons.
    Commerce = 1, "commerce";
    /// Whoever completes a course gets a certificate.
    Certificates = 2, "certificates";
    /// Courses are opened by codes.
    ActivationCodes = 3, "activation_codes";
}

/// Features, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Features(u32);

impl Features {
    pub const fn has(self, feature: Feature) -> bool {
        self.0 & feature.bit() != 0
    }

    pub const fn with(self, feature: Feature) -> Self {
        Self(self.0 | feature.bit())
    }

    pub const fn without(self, feature: Feature) -> Self {
        Self(self.0 & !feature.bit())
    }

    /// All others.
    pub fn others(self) -> Self {
        Feature::ALL
            .iter()
            .filter(|feature| !self.has(**feature))
            .fold(Self::default(), |set, one| set.with(*one))
    }

    pub fn iter(self) -> impl Iterator<Item = Feature> {
        Feature::ALL.iter().copied().filter(move |feature| self.has(*feature))
    }

    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Bits that name no feature are dropped.
    pub fn from_bits(bits: u32) -> Self {
        Feature::ALL
            .iter()
            .filter(|feature| bits & feature.bit() != 0)
            .fold(Self::default(), |set, one| set.with(*one))
    }
}

/// How long a deleted academy can be had back, in days.
pub const GRACE_DAYS: i64 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_one_that_dns_and_browsers_take() {
        for text in ["umraniye.example", "a.b-c.d2", "xn--mraniye-m2a.example", "umraniye.localhost"] {
            assert!(text.parse::<HostName>().is_ok(), "{text}");
        }
        let long = format!("{}.example", "a".repeat(64));
        for text in [
            "",
            "localhost",
            "Umraniye.example",
            "ümraniye.example",
            "a..b",
            ".a.b",
            "a.b.",
            "-a.b",
            "a-.b",
            "192.0.2.7",
            "a.b:80",
            "a.b/c",
            "a_b.c",
            "a.b\n",
            &long,
        ] {
            assert!(text.parse::<HostName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_no_more() {
        for text in [
            "https://www.example.org",
            "https://a.example:8443",
            "http://localhost:3000",
            "http://a.localhost",
        ] {
            assert!(text.parse::<WebOrigin>().is_ok(), "{text}");
        }
        for text in [
            "*",
            "null",
            "https://*.example.org",
            "http://www.example.org",
            "https://www.example.org/",
            "https://a.example:443",
            "https://a.example:0",
            "https://u@a.example",
            "ftp://a.example",
            "https://A.example",
            "https://a.example https://b.example",
        ] {
            assert!(text.parse::<WebOrigin>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_off_and_what_is_on_are_all() {
        let off = Features::default().with(Feature::Commerce);
        assert!(off.has(Feature::Commerce) && !off.others().has(Feature::Commerce));
        assert_eq!(off.iter().count() + off.others().iter().count(), Feature::ALL.len());
        assert_eq!(Features::from_bits(u32::MAX), Features::default().others());
        assert_eq!(off.others().others(), off);
    }
}
