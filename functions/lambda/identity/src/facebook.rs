//! Facebook Login: OAuth with a server-side exchange ("Manually Build a Login Flow"), the token looked at before it is believed.

pub mod signed_request;

use akademi_api::{
    Ports,
    federation::{Authorization, AuthorizationWanted, Claims, ExchangeWanted, Subject},
};
use akademi_domain::identity::PersonName;
use futures::future::BoxFuture;
use hmac::{Hmac, Mac};
use http::{StatusCode, Uri};
use serde::{Deserialize, de::DeserializeOwned};
use sha2::Sha256;
use std::sync::Arc;

use crate::{
    outgoing::{Outgoing, below, with_query},
    provider::{Provider, ProviderError},
    settings::FacebookSettings,
};

/// Who vouches, as identities name it: Facebook's own OpenID Connect issuer.
pub const ISSUER: &str = "https://www.facebook.com";

/// One app at Facebook.
pub struct Facebook {
    pub settings: FacebookSettings,
    pub ports: Ports,
    pub outgoing: Arc<Outgoing>,
    /// Where the browser is sent.
    pub dialog: Uri,
    /// Where the Graph API answers.
    pub graph: Uri,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

#[derive(Deserialize)]
struct Debugged {
    data: TokenFacts,
}

/// What `/debug_token` says of a token.
#[derive(Deserialize)]
struct TokenFacts {
    app_id: Option<String>,
    user_id: Option<String>,
    #[serde(default)]
    is_valid: bool,
    /// Seconds since 1970; 0 is never.
    #[serde(default)]
    expires_at: i64,
}

#[derive(Deserialize)]
struct Me {
    id: String,
    name: Option<String>,
}

impl Facebook {
    async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<T, ProviderError> {
        let base = address(below(&self.graph, path))?;
        let uri = address(with_query(&base, parameters))?;
        let answer = self.outgoing.get(uri).await?;
        match answer.status() {
            StatusCode::OK => {
                serde_json::from_slice(answer.body()).map_err(|_| ProviderError::Unexpected("something else"))
            }
            status if status.is_client_error() => Err(ProviderError::Refused(format!("with {status}"))),
            _ => Err(ProviderError::Unexpected("an error of its own")),
        }
    }

    async fn exchange_code(&self, wanted: &ExchangeWanted) -> Result<Claims, ProviderError> {
        let FacebookSettings { app_id, app_secret, version } = &self.settings;
        let parameters = [
            ("client_id", app_id.as_str()),
            ("redirect_uri", &wanted.redirect_uri),
            ("client_secret", app_secret.expose()),
            ("code", &wanted.code),
        ];
        let TokenAnswer { access_token } =
            self.ask(&format!("/{version}/oauth/access_token"), &parameters).await?;
        // A token that another app was given would say who its owner is too.
        let app_token = format!("{app_id}|{}", app_secret.expose());
        let parameters = [("input_token", access_token.as_str()), ("access_token", &app_token)];
        let Debugged { data } = self.ask("/debug_token", &parameters).await?;
        let is_alive = data.expires_at == 0 || data.expires_at > self.ports.now().as_seconds();
        if !data.is_valid || !is_alive || data.app_id.as_ref() != Some(app_id) {
            return Err(ProviderError::Refused("the token is of another app, or over".into()));
        }
        let proof = app_secret_proof(app_secret.expose(), &access_token);
        let parameters =
            [("fields", "id,name"), ("access_token", &access_token), ("appsecret_proof", &proof)];
        let me: Me = self.ask(&format!("/{version}/me"), &parameters).await?;
        if data.user_id.as_ref() != Some(&me.id) {
            return Err(ProviderError::Unexpected("claims of somebody else"));
        }
        Ok(Claims {
            issuer: ISSUER.to_owned(),
            subject: Subject(me.id),
            // Facebook does not say whether an address is verified: it says nothing.
            verified_email: None,
            name: me.name.and_then(|name| PersonName::try_from(name).ok()),
        })
    }
}

impl Provider for Facebook {
    fn authorization<'a>(
        &'a self,
        wanted: &'a AuthorizationWanted,
    ) -> BoxFuture<'a, Result<Authorization, ProviderError>> {
        Box::pin(async move {
            let base = address(below(&self.dialog, &format!("/{}/dialog/oauth", self.settings.version)))?;
            let parameters = [
                ("client_id", self.settings.app_id.as_str()),
                ("redirect_uri", &wanted.redirect_uri),
                ("state", &wanted.state),
                ("scope", "public_profile"),
                ("response_type", "code"),
            ];
            let url = address(with_query(&base, &parameters))?;
            Ok(Authorization { url: url.to_string(), issuer: ISSUER.to_owned(), names_issuer: false })
        })
    }

    fn exchange<'a>(&'a self, wanted: &'a ExchangeWanted) -> BoxFuture<'a, Result<Claims, ProviderError>> {
        Box::pin(self.exchange_code(wanted))
    }
}

fn address(made: Result<Uri, http::uri::InvalidUri>) -> Result<Uri, ProviderError> {
    made.map_err(|_| ProviderError::Unexpected("an address that is none"))
}

/// That whoever shows an access token has the app's secret ("Securing Graph API Requests").
fn app_secret_proof(app_secret: &str, access_token: &str) -> String {
    // A key of any length is taken.
    Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(access_token.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_the_mac_of_the_token() {
        assert_eq!(
            app_secret_proof("demo_app_secret_0001", "EAADemoToken"),
            "d74fccf0e69bb067df8c16e000bc1fd813706e97bdacb9beb682b51a42ada5cc"
        );
    }
}
