//! A ceremony (WebAuthn level 3 §2.1.1): who asks, what an authenticator is to sign, and that it is taken once.

use akademi_api::{
    Academy, Problem,
    caller::AcademyHost,
    passkey::RelyingParty,
    public_url::{public_url, with_local_port},
};
use akademi_domain::ids::UserId;
use akademi_edge_store::{StoreError, TenantStatement};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{Passkeys, store};

/// How long somebody may look for their authenticator, in seconds.
pub const CHALLENGE_SECONDS: i64 = 5 * 60;

/// What a ceremony is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    SignIn,
    /// This person adds a passkey.
    Adding(UserId),
}

impl Purpose {
    pub const fn person(self) -> Option<UserId> {
        match self {
            Self::SignIn => None,
            Self::Adding(person) => Some(person),
        }
    }
}

/// What a browser says that it had signed (WebAuthn §5.8.1), as far as it is read here: browsers add to it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    challenge: String,
    #[serde(default)]
    cross_origin: bool,
}

/// The academy's host, and the origin of its pages.
///
/// # Errors
/// `internal` for a host that makes no address.
pub fn relying_party(
    AcademyHost(host): AcademyHost,
    headers: &HeaderMap,
    target: &Uri,
) -> Result<RelyingParty, Problem> {
    let origin = public_url(&with_local_port(host.clone(), headers, target), "").map_err(Problem::broken)?;
    Ok(RelyingParty { id: host, origin: origin.to_string() })
}

/// What a browser writes in base64url.
///
/// # Errors
/// 422 naming the field.
pub fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, Problem> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Problem::field(field, "is no base64url without padding"))
}

impl Passkeys {
    /// A new challenge, and the statements that have it wait. Somebody who adds a passkey has one waiting, the newest.
    pub fn challenge(&self, purpose: Purpose) -> (String, Vec<TenantStatement>) {
        let ports = &self.edge.ports;
        let now = ports.now();
        let challenge: [u8; 32] = ports.random();
        let mut batch = vec![store::forget_expired(now)];
        batch.extend(purpose.person().map(store::forget_challenges_of));
        let expires_at = now.plus_seconds(CHALLENGE_SECONDS);
        batch.push(store::insert_challenge(&Sha256::digest(challenge).into(), purpose, expires_at));
        (URL_SAFE_NO_PAD.encode(challenge), batch)
    }

    /// Takes the challenge that a browser says it had signed: whoever comes second with it comes too late.
    ///
    /// # Errors
    /// `challenge-over` for one that does not wait for this purpose; 422 for what no browser of the academy's own page says.
    pub async fn take(
        &self,
        academy: &Academy,
        client_data_json: &str,
        purpose: Purpose,
    ) -> Result<String, Problem> {
        const FIELD: &str = "credential.response.clientDataJSON";
        let said: Option<ClientData> = serde_json::from_slice(&decode(FIELD, client_data_json)?).ok();
        let said = said.filter(|said| !said.cross_origin);
        let said = said.ok_or_else(|| Problem::field(FIELD, "is not of a page of this host"))?;
        let hash: [u8; 32] = Sha256::digest(decode(FIELD, &said.challenge)?).into();
        let condition = store::challenge_waits(&hash, purpose, self.edge.ports.now());
        let database = self.edge.tenant(academy.id);
        let taken = database.batch_if(condition, vec![store::delete_challenge(&hash)]).await;
        taken.map_err(|error| match error {
            StoreError::Guard => challenge_over(),
            error => error.into(),
        })?;
        Ok(said.challenge)
    }
}

pub fn challenge_over() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "challenge-over",
        "The challenge has been used, is older than five minutes, or was for something else: begin again.",
    )
}
