//! What an academy has agreed with a provider.

use akademi_api::Problem;
use http::Uri;
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

use crate::{
    Identity,
    edevlet::{EDevlet, ISSUER as EDEVLET_ISSUER},
    facebook::{Facebook, ISSUER as FACEBOOK_ISSUER},
    oidc::Oidc,
    provider::Provider,
};

const MAX_ISSUER: usize = 255;
const MAX_SCOPES: usize = 20;

/// What addresses call a provider: up to 32 of a to z, digits and single dashes between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 32, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
pub struct ProviderId(String);

#[derive(Debug, thiserror::Error)]
#[error("is no name of a provider")]
pub struct InvalidProviderId;

impl TryFrom<String> for ProviderId {
    type Error = InvalidProviderId;

    fn try_from(text: String) -> Result<Self, InvalidProviderId> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if text.len() <= 32 && text.split('-').all(is_word) { Ok(Self(text)) } else { Err(InvalidProviderId) }
    }
}

impl ProviderId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A secret that the provider gave: 1 to 1000 characters that a header can hold. Its `Debug` shows nothing.
#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = Password, min_length = 1, max_length = 1000)]
pub struct ClientSecret(Zeroizing<String>);

#[derive(Debug, thiserror::Error)]
#[error("is no secret: 1 to 1000 letters, digits and signs")]
pub struct InvalidClientSecret;

impl ClientSecret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

impl TryFrom<String> for ClientSecret {
    type Error = InvalidClientSecret;

    fn try_from(text: String) -> Result<Self, InvalidClientSecret> {
        let is_printable = text.bytes().all(|b| (0x20..0x7f).contains(&b));
        let text = Zeroizing::new(text);
        if (1..=1000).contains(&text.len()) && is_printable {
            Ok(Self(text))
        } else {
            Err(InvalidClientSecret)
        }
    }
}

impl From<ClientSecret> for String {
    fn from(secret: ClientSecret) -> String {
        secret.0.as_str().to_owned()
    }
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Settings {
    /// Google, and any provider of OpenID Connect.
    Oidc(OidcSettings),
    Facebook(FacebookSettings),
    /// e-Devlet Kapısı.
    Edevlet(EDevletSettings),
}

#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// As the provider writes it: `https://accounts.google.com`. Its description stands below it.
    #[schema(max_length = 255)]
    pub issuer: String,
    #[schema(min_length = 1, max_length = 255)]
    pub client_id: String,
    pub client_secret: ClientSecret,
    /// Asked for beside `openid`.
    #[serde(default = "usual_scopes")]
    #[schema(max_items = 20)]
    pub scopes: Vec<String>,
    /// Of Google: only accounts of this Workspace domain.
    #[serde(default)]
    #[schema(max_length = 253)]
    pub hosted_domain: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FacebookSettings {
    #[schema(min_length = 1, max_length = 32, pattern = "^[0-9]+$")]
    pub app_id: String,
    pub app_secret: ClientSecret,
    /// Of the Graph API: `v23.0`.
    #[schema(max_length = 8, pattern = r"^v[0-9]+\.[0-9]+$")]
    pub version: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EDevletSettings {
    #[schema(min_length = 1, max_length = 255)]
    pub client_id: String,
    pub client_secret: ClientSecret,
    /// What the protocol with Türksat names, several separated by `;`: `Kimlik-Dogrula;Ad-Soyad`.
    #[schema(min_length = 1, max_length = 255)]
    pub scope: String,
}

fn usual_scopes() -> Vec<String> {
    vec!["email".into(), "profile".into()]
}

impl OidcSettings {
    /// `openid` and what else is asked for.
    pub fn scope(&self) -> String {
        let others = self.scopes.iter().map(String::as_str).filter(|scope| *scope != "openid");
        std::iter::once("openid").chain(others).collect::<Vec<_>>().join(" ")
    }
}

impl Settings {
    /// The kind, as the site chooses a button by it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Oidc(_) => "oidc",
            Self::Facebook(_) => "facebook",
            Self::Edevlet(_) => "edevlet",
        }
    }

    pub fn issuer(&self) -> &str {
        match self {
            Self::Oidc(settings) => &settings.issuer,
            Self::Facebook(_) => FACEBOOK_ISSUER,
            Self::Edevlet(_) => EDEVLET_ISSUER,
        }
    }

    /// By what the provider knows us.
    pub fn client_id(&self) -> &str {
        match self {
            Self::Oidc(settings) => &settings.client_id,
            Self::Facebook(settings) => &settings.app_id,
            Self::Edevlet(settings) => &settings.client_id,
        }
    }

    /// # Errors
    /// 422 for what no provider could be asked with.
    pub fn check(&self, identity: &Identity) -> Result<(), Problem> {
        let is_text = |text: &str, max: usize| {
            (1..=max).contains(&text.len()) && text.bytes().all(|b| (0x21..0x7f).contains(&b))
        };
        if !is_text(self.client_id(), 255) {
            return Err(Problem::field("settings", "holds an id of ours that is none"));
        }
        match self {
            Self::Oidc(settings) => {
                let is_address = settings
                    .issuer
                    .parse::<Uri>()
                    .is_ok_and(|issuer| issuer.query().is_none() && identity.outgoing.check(&issuer).is_ok());
                // OpenID Connect Discovery 4.1: no fragment either, which `Uri` drops.
                let is_plain = is_text(&settings.issuer, MAX_ISSUER) && !settings.issuer.contains('#');
                if !is_address || !is_plain {
                    return Err(Problem::field("settings.issuer", "is no https address of a public host"));
                }
                let is_scope = |scope: &String| is_text(scope, 100) && !scope.contains(['"', '\\']);
                if settings.scopes.len() > MAX_SCOPES || !settings.scopes.iter().all(is_scope) {
                    return Err(Problem::field("settings.scopes", "holds what is no scope, or more than 20"));
                }
                if settings.hosted_domain.as_deref().is_some_and(|domain| !is_text(domain, 253)) {
                    return Err(Problem::field("settings.hosted_domain", "is no domain"));
                }
            }
            Self::Facebook(settings) => {
                let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                let version = settings.version.strip_prefix('v').and_then(|version| version.split_once('.'));
                let is_version = version.is_some_and(|(major, minor)| is_number(major) && is_number(minor));
                if !is_version || settings.version.len() > 8 {
                    return Err(Problem::field("settings.version", "is none like v23.0"));
                }
                if !is_number(&settings.app_id) {
                    return Err(Problem::field("settings.app_id", "is no number"));
                }
            }
            Self::Edevlet(settings) => {
                if !is_text(&settings.scope, 255) {
                    return Err(Problem::field("settings.scope", "is no scope"));
                }
            }
        }
        Ok(())
    }

    /// The provider, ready to be asked.
    pub fn provider(self, identity: &Identity) -> Box<dyn Provider> {
        let (ports, outgoing) = (identity.ports.clone(), identity.outgoing.clone());
        match self {
            Self::Oidc(settings) => {
                let discoveries = Arc::clone(&identity.discoveries);
                Box::new(Oidc { settings, ports, outgoing, discoveries })
            }
            Self::Facebook(settings) => {
                let (dialog, graph) =
                    (identity.addresses.facebook.clone(), identity.addresses.facebook_graph.clone());
                Box::new(Facebook { settings, ports, outgoing, dialog, graph })
            }
            Self::Edevlet(settings) => {
                let subjects = identity.vault.derive("akademi/edevlet-subject/1");
                Box::new(EDevlet {
                    settings,
                    outgoing,
                    address: identity.addresses.edevlet.clone(),
                    subjects,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_named_by_plain_words() {
        for good in ["google", "e-devlet", "a1", &"a".repeat(32)] {
            assert!(ProviderId::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "-", "a-", "-a", "a--b", "A", "ı", "a/b", "a.b", "a b", &"a".repeat(33)] {
            assert!(ProviderId::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_shows_in_no_log() {
        let settings = r#"{"kind":"facebook","app_id":"1","app_secret":"gizli","version":"v23.0"}"#;
        let settings: Settings = serde_json::from_str(settings).unwrap();
        assert!(!format!("{settings:?}").contains("gizli"));
    }
}
