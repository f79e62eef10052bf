//! What an identity provider is to us.

use akademi_api::{
    Problem,
    federation::{Authorization, AuthorizationWanted, Claims, ExchangeWanted},
};
use futures::future::BoxFuture;
use http::StatusCode;

use crate::{oidc::id_token::InvalidToken, outgoing::NoAnswer};

/// One provider with one academy's account at it.
pub trait Provider: Send + Sync {
    /// Where the browser is to be sent.
    ///
    /// # Errors
    /// [`ProviderError`] when the provider does not say.
    fn authorization<'a>(
        &'a self,
        wanted: &'a AuthorizationWanted,
    ) -> BoxFuture<'a, Result<Authorization, ProviderError>>;

    /// Whom the code stands for.
    ///
    /// # Errors
    /// [`ProviderError`]
    fn exchange<'a>(&'a self, wanted: &'a ExchangeWanted) -> BoxFuture<'a, Result<Claims, ProviderError>>;
}

/// Why a provider's word is not taken. None of it names the person.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("the provider gave no answer: {0}")]
    NoAnswer(#[from] NoAnswer),
    /// It does not say what its protocol demands.
    #[error("the provider answered {0}")]
    Unexpected(&'static str),
    /// It refuses the code, or our account with it.
    #[error("the provider refused: {0}")]
    Refused(String),
    #[error("the ID token is refused: {0}")]
    Token(#[from] InvalidToken),
}

impl From<ProviderError> for Problem {
    fn from(error: ProviderError) -> Self {
        match &error {
            ProviderError::NoAnswer(_) | ProviderError::Unexpected(_) => Self::unavailable()
                .with_detail("The identity provider gives no usable answer: try again in a moment.")
                .retry_after(5),
            ProviderError::Refused(_) | ProviderError::Token(_) => Self::new(
                StatusCode::FORBIDDEN,
                "provider-refused",
                "The identity provider does not vouch for you: begin again.",
            ),
        }
        .because(error)
    }
}
