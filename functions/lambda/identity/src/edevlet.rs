//! e-Devlet Kapısı: OAuth's code flow and a call of its own for the person, without ID tokens, PKCE or discovery.
//!
//! The technical document is not public: addresses and fields are those that independent clients of public bodies agree on.
//! Open, until somebody holds a protocol with Türksat: other scopes than identity and name, what comes beside the fields that
//! are read here, whether the token call wants a form or a query (a form is sent), and which of our addresses must be known
//! there beforehand.

use akademi_api::federation::{Authorization, AuthorizationWanted, Claims, ExchangeWanted, Subject};
use akademi_domain::identity::PersonName;
use futures::future::BoxFuture;
use http::{StatusCode, Uri};
use serde::Deserialize;
use std::sync::Arc;
use zeroize::Zeroizing;

use crate::{
    oidc::refusal,
    outgoing::{Outgoing, below, with_query},
    provider::{Provider, ProviderError},
    settings::EDevletSettings,
};

/// Who vouches, as identities name it.
pub const ISSUER: &str = "https://giris.turkiye.gov.tr";

const SERVER: &str = "/OAuth2AuthorizationServer";
/// The only code of success.
const SUCCESS: &str = "EDV09.000";

/// One client at e-Devlet.
pub struct EDevlet {
    pub settings: EDevletSettings,
    pub outgoing: Arc<Outgoing>,
    pub address: Uri,
    /// What national identity numbers are hashed under.
    pub subjects: Zeroizing<[u8; 32]>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct PersonAnswer {
    #[serde(rename = "sonucKodu")]
    result: String,
    #[serde(rename = "kullaniciBilgileri")]
    person: Option<Person>,
}

#[derive(Deserialize)]
struct Person {
    #[serde(rename = "kimlikNo")]
    number: NationalId,
    #[serde(rename = "ad")]
    first_name: String,
    #[serde(rename = "soyad")]
    last_name: String,
}

/// The number of a Turkish identity card: it goes no further than this file.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct NationalId(Zeroizing<String>);

impl TryFrom<String> for NationalId {
    type Error = &'static str;

    /// Eleven digits of which the last two check the others.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let text = Zeroizing::new(text);
        let digits: Vec<i32> =
            text.bytes().filter(u8::is_ascii_digit).map(|digit| i32::from(digit - b'0')).collect();
        let [d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11] = digits[..] else {
            return Err("is no national identity number");
        };
        let tenth = ((d1 + d3 + d5 + d7 + d9) * 7 - (d2 + d4 + d6 + d8)).rem_euclid(10);
        let eleventh = (digits.iter().sum::<i32>() - d11).rem_euclid(10);
        if text.len() == 11 && d1 != 0 && d10 == tenth && d11 == eleventh {
            Ok(Self(text))
        } else {
            Err("is no national identity number")
        }
    }
}

impl EDevlet {
    fn place(&self, path: &str) -> Result<Uri, ProviderError> {
        below(&self.address, &format!("{SERVER}{path}"))
            .map_err(|_| ProviderError::Unexpected("an address that is none"))
    }

    async fn exchange_code(&self, wanted: &ExchangeWanted) -> Result<Claims, ProviderError> {
        let EDevletSettings { client_id, client_secret, .. } = &self.settings;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id.as_str()),
            ("client_secret", client_secret.expose()),
            ("code", &wanted.code),
            ("redirect_uri", &wanted.redirect_uri),
        ];
        let answer = self.outgoing.post_form(self.place("/AccessTokenController")?, &form, None).await?;
        let token = serde_json::from_slice::<TokenAnswer>(answer.body()).ok();
        let token =
            token.filter(|_| answer.status() == StatusCode::OK).and_then(|answer| answer.access_token);
        let token = token.ok_or_else(|| refusal(answer.body()))?;

        let parameters = [
            ("accessToken", token.as_str()),
            ("clientId", client_id),
            ("resourceId", "1"),
            ("kapsam", "Ad-Soyad"),
        ];
        let place = with_query(&self.place("/AuthenticationController")?, &parameters)
            .map_err(|_| ProviderError::Unexpected("a token that is none"))?;
        let answer = self.outgoing.post_form(place, &[], None).await?;
        let answer: PersonAnswer =
            serde_json::from_slice(answer.body()).map_err(|_| ProviderError::Unexpected("something else"))?;
        if answer.result != SUCCESS {
            let code: String = answer.result.chars().filter(char::is_ascii_graphic).take(20).collect();
            return Err(ProviderError::Refused(format!("with {code}")));
        }
        let Person { number, first_name, last_name } =
            answer.person.ok_or(ProviderError::Unexpected("nobody"))?;
        let subject = akademi_seal::hmac(&self.subjects, number.0.as_bytes());
        Ok(Claims {
            issuer: ISSUER.to_owned(),
            subject: Subject(hex::encode(subject)),
            verified_email: None,
            name: PersonName::try_from(format!("{first_name} {last_name}")).ok(),
        })
    }
}

impl Provider for EDevlet {
    fn authorization<'a>(
        &'a self,
        wanted: &'a AuthorizationWanted,
    ) -> BoxFuture<'a, Result<Authorization, ProviderError>> {
        Box::pin(async move {
            let parameters = [
                ("response_type", "code"),
                ("client_id", self.settings.client_id.as_str()),
                ("state", &wanted.state),
                ("scope", &self.settings.scope),
                ("redirect_uri", &wanted.redirect_uri),
            ];
            let url = with_query(&self.place("/AuthorizationController")?, &parameters)
                .map_err(|_| ProviderError::Unexpected("an address that is none"))?;
            Ok(Authorization { url: url.to_string(), issuer: ISSUER.to_owned(), names_issuer: false })
        })
    }

    fn exchange<'a>(&'a self, wanted: &'a ExchangeWanted) -> BoxFuture<'a, Result<Claims, ProviderError>> {
        Box::pin(self.exchange_code(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_national_id_is_checked_by_its_last_two_digits() {
        for good in ["10000000146", "12345678950"] {
            assert!(NationalId::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "10000000145",
            "10000000156",
            "00000000146",
            "1000000014",
            "100000001466",
            "1000000014a",
            "1000000014６",
        ] {
            assert!(NationalId::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
