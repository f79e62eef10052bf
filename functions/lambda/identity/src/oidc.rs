//! Any provider of OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 3.1, RFC 7636).

pub mod discovery;
pub mod id_token;
pub mod keys;

use akademi_api::{
    Ports,
    federation::{Authorization, AuthorizationWanted, Claims, ExchangeWanted, Subject},
};
use akademi_domain::identity::{EmailAddress, PersonName};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde::Deserialize;
use std::sync::Arc;

use crate::{
    outgoing::{Outgoing, encoded, with_query},
    provider::{Provider, ProviderError},
    settings::OidcSettings,
};
use discovery::{Discoveries, Document};
use id_token::{Expected, IdToken};

/// Google's tokens may name it in either way.
const GOOGLE: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// One account at one provider.
pub struct Oidc {
    pub settings: OidcSettings,
    pub ports: Ports,
    pub outgoing: Arc<Outgoing>,
    pub discoveries: Arc<Discoveries>,
}

/// RFC 6749 §5.1, as far as it is used.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    id_token: String,
}

/// RFC 6749 §5.2.
#[derive(Deserialize)]
pub struct TokenRefusal {
    pub error: String,
}

/// What a person's claims are read of, in the ID token and at the UserInfo endpoint (OpenID Connect Core 5.1).
#[derive(Debug, Default, Deserialize)]
pub struct PersonClaims {
    pub sub: String,
    pub email: Option<String>,
    #[serde(default)]
    pub email_verified: Option<serde_json::Value>,
    pub name: Option<String>,
}

impl PersonClaims {
    fn email_is_verified(&self) -> bool {
        // Some providers write the boolean as a string.
        matches!(&self.email_verified, Some(said) if *said == true || *said == "true")
    }
}

impl Oidc {
    async fn document(&self) -> Result<Arc<Document>, ProviderError> {
        self.discoveries.document(&self.outgoing, &self.settings.issuer, self.ports.now()).await
    }

    async fn exchange_code(&self, wanted: &ExchangeWanted) -> Result<Claims, ProviderError> {
        let document = self.document().await?;
        let answer = self.ask_for_tokens(&document, wanted).await?;
        let issuers = self.issuers();
        let expected = Expected {
            issuers: &issuers,
            client_id: &self.settings.client_id,
            nonce: &wanted.nonce,
            access_token: answer.access_token.as_deref(),
            now: self.ports.now(),
        };
        let token = IdToken::parse(&answer.id_token)?;
        let keys = self.discoveries.keys(&self.outgoing, &document, token.kid(), self.ports.now()).await?;
        let said = token.verify(&keys, &expected)?;
        if let Some(domain) = &self.settings.hosted_domain
            && said.hd.as_ref() != Some(domain)
        {
            return Err(ProviderError::Refused("the account is of another domain".into()));
        }
        let is_google = GOOGLE.contains(&self.settings.issuer.as_str());
        let (hosted, mut person) = (said.hd.is_some(), said.person);
        if person.email.is_none()
            && let (Some(endpoint), Some(access_token)) = (&document.userinfo_endpoint, &answer.access_token)
        {
            let info = self.user_info(endpoint, access_token).await?;
            // OpenID Connect Core 5.3.2: else it may be somebody else's.
            if info.sub != person.sub {
                return Err(ProviderError::Unexpected("claims of somebody else"));
            }
            person = info;
        }
        let email = person.email.as_deref().filter(|_| person.email_is_verified());
        let email = email.and_then(|email| EmailAddress::parse(email).ok());
        // Google answers for its own addresses and for those of its customers' domains, for no others.
        let email = email.filter(|email| !is_google || hosted || email.as_str().ends_with("@gmail.com"));
        Ok(Claims {
            issuer: self.settings.issuer.clone(),
            subject: Subject(person.sub),
            verified_email: email,
            name: person.name.and_then(|name| PersonName::try_from(name).ok()),
        })
    }

    fn issuers(&self) -> Vec<&str> {
        let own = self.settings.issuer.as_str();
        if GOOGLE.contains(&own) { GOOGLE.to_vec() } else { vec![own] }
    }

    async fn ask_for_tokens(
        &self,
        document: &Document,
        wanted: &ExchangeWanted,
    ) -> Result<TokenAnswer, ProviderError> {
        let OidcSettings { client_id, client_secret, .. } = &self.settings;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", &wanted.code),
            ("redirect_uri", &wanted.redirect_uri),
            ("code_verifier", &wanted.code_verifier),
        ];
        let mut authorization = None;
        if document.takes_basic() {
            authorization = Some(basic(client_id, client_secret.expose())?);
        } else {
            form.extend([("client_id", client_id.as_str()), ("client_secret", client_secret.expose())]);
        }
        let endpoint = discovery::address(&document.token_endpoint)?;
        let answer = self.outgoing.post_form(endpoint, &form, authorization).await?;
        read_tokens(&answer)
    }

    async fn user_info(&self, endpoint: &str, access_token: &str) -> Result<PersonClaims, ProviderError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = discovery::address(endpoint)?;
        let bearer = HeaderValue::try_from(format!("Bearer {access_token}"))
            .map_err(|_| ProviderError::Unexpected("an access token that is none"))?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let answer = self.outgoing.send(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(ProviderError::Unexpected("no user info"));
        }
        serde_json::from_slice(answer.body()).map_err(|_| ProviderError::Unexpected("user info that is none"))
    }
}

impl Provider for Oidc {
    fn authorization<'a>(
        &'a self,
        wanted: &'a AuthorizationWanted,
    ) -> BoxFuture<'a, Result<Authorization, ProviderError>> {
        Box::pin(async move {
            let document = self.document().await?;
            let endpoint = discovery::address(&document.authorization_endpoint)?;
            // The browser is sent there with our client's name: not in the clear.
            self.outgoing.check(&endpoint)?;
            let scope = self.settings.scope();
            let mut parameters = vec![
                ("response_type", "code"),
                ("client_id", self.settings.client_id.as_str()),
                ("redirect_uri", &wanted.redirect_uri),
                ("scope", &scope),
                ("state", &wanted.state),
                ("nonce", &wanted.nonce),
                ("code_challenge", &wanted.code_challenge),
                ("code_challenge_method", "S256"),
            ];
            parameters.extend(self.settings.hosted_domain.as_deref().map(|domain| ("hd", domain)));
            let url = with_query(&endpoint, &parameters)
                .map_err(|_| ProviderError::Unexpected("an address that is none"))?;
            Ok(Authorization {
                url: url.to_string(),
                issuer: self.settings.issuer.clone(),
                names_issuer: document.authorization_response_iss_parameter_supported,
            })
        })
    }

    fn exchange<'a>(&'a self, wanted: &'a ExchangeWanted) -> BoxFuture<'a, Result<Claims, ProviderError>> {
        Box::pin(self.exchange_code(wanted))
    }
}

/// HTTP Basic with both halves form-encoded first (RFC 6749 §2.3.1).
fn basic(client_id: &str, client_secret: &str) -> Result<HeaderValue, ProviderError> {
    let half = |text: &str| encoded(&[("", text)]).trim_start_matches('=').to_owned();
    let both = STANDARD.encode(format!("{}:{}", half(client_id), half(client_secret)));
    let mut value = HeaderValue::try_from(format!("Basic {both}"))
        .map_err(|_| ProviderError::Unexpected("a secret that no header can hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn read_tokens(answer: &Response<Bytes>) -> Result<TokenAnswer, ProviderError> {
    if answer.status() != StatusCode::OK {
        return Err(refusal(answer.body()));
    }
    serde_json::from_slice(answer.body()).map_err(|_| ProviderError::Unexpected("no ID token"))
}

/// What a token endpoint that refuses says: its `error` when it is one of a protocol's words, and no more, since the rest is
/// its own text.
pub fn refusal(body: &[u8]) -> ProviderError {
    let said = serde_json::from_slice::<TokenRefusal>(body).ok().map(|refusal| refusal.error);
    let is_word =
        |word: &String| word.len() <= 40 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    ProviderError::Refused(said.filter(is_word).unwrap_or_else(|| "without a reason".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_named_as_the_rfc_says() {
        let header = basic("a client", "s:e&cret").unwrap();
        assert_eq!(header, format!("Basic {}", STANDARD.encode("a+client:s%3Ae%26cret")).as_str());
    }

    #[test]
    fn a_verified_address_is_said_to_be_one() {
        let verified = |said: &str| {
            serde_json::from_str::<PersonClaims>(&format!(r#"{{"sub":"1"{said}}}"#))
                .unwrap()
                .email_is_verified()
        };
        assert!(verified(r#","email_verified":true"#));
        assert!(verified(r#","email_verified":"true""#));
        for unverified in
            ["", r#","email_verified":false"#, r#","email_verified":1"#, r#","email_verified":"yes""#]
        {
            assert!(!verified(unverified), "{unverified}");
        }
    }

    #[test]
    fn what_a_provider_says_of_its_own_stays_out_of_the_log() {
        assert_eq!(
            refusal(br#"{"error":"invalid_grant"}"#).to_string(),
            "the provider refused: invalid_grant"
        );
        assert_eq!(
            refusal(br#"{"error":"Ali Veli a@b.co"}"#).to_string(),
            "the provider refused: without a reason"
        );
    }
}
