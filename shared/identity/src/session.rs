//! What a client gets when it is signed in, by whichever way.

pub mod challenge;
pub mod keeping;
pub mod refresh_token;

use akademi_api::{
    Caller, Problem,
    config::{Config, ConfigError},
    token::{TokenSigner, TokenVerifier},
};
use akademi_domain::{
    ids::{SessionId, TenantId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{Edge, TenantStatement};
use akademi_seal::{PersonKey, Vault};

use crate::{
    audit::Audit,
    origin::Origin,
    roles::Granted,
    store::{self, NewSession},
};
use challenge::{Challenges, SecondFactorNeeded};
use refresh_token::{RefreshTokens, SessionNonce, Shown};

/// What a client keeps to stay signed in: [`keeping::Keeping`] hands it over.
pub struct Tokens {
    access: String,
    refresh: String,
}

/// Somebody who has shown all that is asked.
pub struct Proven<'a> {
    pub tenant: TenantId,
    pub person: UserId,
    pub key: &'a PersonKey,
    pub granted: &'a Granted,
    pub origin: &'a Origin,
    /// How: `password`, `second_factor`, `provider`.
    pub by: &'static str,
}

/// Starts sessions and goes on with them.
pub struct Sessions {
    edge: Edge,
    signer: TokenSigner,
    refresh_tokens: RefreshTokens,
    challenges: Challenges,
}

impl Sessions {
    /// # Errors
    /// [`ConfigError`] naming `token_signing_keys`.
    pub fn from_config(edge: Edge, vault: &Vault, config: &Config<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            edge,
            signer: config.read(akademi_functions::TOKEN_SIGNING_KEYS, TokenSigner::from_config)?,
            refresh_tokens: RefreshTokens::new(vault.derive("akademi/refresh-token/1")),
            challenges: Challenges::new(vault.derive("akademi/second-factor/1")),
        })
    }

    /// What access tokens are checked with.
    pub fn verifier(&self) -> &TokenVerifier {
        self.signer.verifier()
    }

    /// Starts a session on this device, together with `others` in one step.
    ///
    /// # Errors
    /// Of the store.
    pub async fn start(
        &self,
        proven: Proven<'_>,
        condition: Option<TenantStatement>,
        others: Vec<TenantStatement>,
    ) -> Result<Tokens, Problem> {
        let ports = &self.edge.ports;
        let now = ports.now();
        let session = SessionId::new(now, ports.random());
        let nonce: SessionNonce = ports.random();
        let device = proven.origin.device.clone();
        let country = proven.origin.country.clone();
        let new = NewSession { id: session, person: proven.person, nonce: &nonce, device, country, now };
        let mut batch = others;
        batch.push(store::insert_session(new));
        let signed_in = Audit {
            action: "sign_in.succeeded",
            actor: Some(proven.person),
            target: format!("session:{session}"),
            origin: proven.origin,
            sealed_for: Some((proven.person, proven.key)),
            change: Some(serde_json::json!({ "by": proven.by })),
        };
        batch.extend(signed_in.append(ports, now)?);
        let database = self.edge.tenant(proven.tenant);
        match condition {
            Some(condition) => database.batch_if(condition, batch).await?,
            None => database.batch(batch).await?,
        };
        self.pair((proven.tenant, proven.person, session), proven.granted, &nonce, 0)
    }

    /// The tokens of one generation of a session.
    ///
    /// # Errors
    /// `internal`, should signing fail.
    pub fn pair(
        &self,
        (tenant, user, session): (TenantId, UserId, SessionId),
        granted: &Granted,
        nonce: &SessionNonce,
        generation: i64,
    ) -> Result<Tokens, Problem> {
        let caller = Caller { tenant, user, session, permissions: granted.permissions };
        let ports = &self.edge.ports;
        // Not before the moment from which its permissions hold, which may be the second that is to come.
        let issued = ports.now().max(granted.since);
        Ok(Tokens {
            access: self.signer.sign(&caller, issued, ports.random()).map_err(Problem::broken)?,
            refresh: self.refresh_tokens.token(tenant, session, nonce, generation),
        })
    }

    /// Whether a shown refresh token is one of this session's.
    pub fn is_genuine(&self, shown: &Shown, tenant: TenantId, nonce: &SessionNonce) -> bool {
        self.refresh_tokens.is_genuine(shown, tenant, nonce)
    }

    /// What somebody is told who has shown the first factor and has a second.
    pub fn challenge(&self, tenant: TenantId, person: UserId, now: Timestamp) -> SecondFactorNeeded {
        SecondFactorNeeded::new(&self.challenges, tenant, person, now)
    }

    /// Who was told so, if it is not too long ago.
    pub fn challenged(&self, token: &str, tenant: TenantId, now: Timestamp) -> Option<UserId> {
        self.challenges.read(token, tenant, now)
    }
}
