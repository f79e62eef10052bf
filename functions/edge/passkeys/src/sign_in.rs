//! Signing in with a passkey (WebAuthn level 3 §7.2).

use akademi_api::{
    Academy, Body, Problem,
    caller::{AcademyHost, RequestId},
    passkey::{Assertion, Verdict},
};
use akademi_domain::ids::UserId;
use akademi_identity::{
    Audit, Origin, audit,
    session::{
        Proven,
        keeping::{Keeping, TokenPair},
    },
    throttle,
};
use akademi_seal::PersonKey;
use axum::{extract::State, response::Response};
use http::{HeaderMap, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Passkeys,
    ceremony::{CHALLENGE_SECONDS, Purpose, decode, relying_party},
    store::{self, Found},
};

/// What a page gives to `PublicKeyCredential.parseRequestOptionsFromJSON()` (WebAuthn §5.1.9).
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    challenge: String,
    /// The host whose passkeys the browser offers.
    rp_id: String,
    /// Milliseconds.
    timeout: i64,
    user_verification: &'static str,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeySignIn {
    credential: AssertedCredential,
}

/// What `PublicKeyCredential.toJSON()` gives after a request (WebAuthn §5.1.9), as far as it is read: browsers add to it.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct AssertedCredential {
    #[schema(max_length = 1364)]
    id: String,
    response: AssertionResponse,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    authenticator_data: String,
    signature: String,
    /// Whose it is: the id of when it was made.
    #[schema(max_length = 86)]
    user_handle: String,
}

/// Begin to sign in with a passkey
///
/// What the page's browser needs to have one sign. Nobody is named: the browser offers the passkeys that it has for this host. The
/// challenge is good once, for five minutes.
#[utoipa::path(post, path = "/api/v1/auth/passkey/options", tag = "auth",
    responses((status = 200, description = "For `navigator.credentials.get()`", body = RequestOptions),
              (status = 429, description = "Too many have begun from this address", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn begin(
    State(passkeys): State<Passkeys>,
    academy: Academy,
    AcademyHost(host): AcademyHost,
    origin: Origin,
) -> Result<Body<RequestOptions>, Problem> {
    let database = passkeys.edge.tenant(academy.id);
    let counter = passkeys.throttles.address_tries(b"passkey", &origin);
    throttle::admit(&database, &[counter], passkeys.edge.ports.now()).await?;
    let (challenge, batch) = passkeys.challenge(Purpose::SignIn);
    database.batch(batch).await?;
    Ok(Body(RequestOptions {
        challenge,
        rp_id: host,
        timeout: CHALLENGE_SECONDS * 1000,
        user_verification: "required",
    }))
}

/// Sign in with a passkey
///
/// Both factors at once: the device has verified its owner. An unknown passkey, a wrong signature and a suspended account answer
/// alike.
#[utoipa::path(post, path = "/api/v1/auth/passkey", tag = "auth", request_body = PasskeySignIn,
    responses((status = 200, description = "Signed in", body = TokenPair),
              (status = 401, description = "It is no passkey that signs in here", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The challenge is over, or the passkey was used at the same moment", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn sign_in(
    State(passkeys): State<Passkeys>,
    (academy, host, request_id): (Academy, AcademyHost, RequestId),
    origin: Origin,
    keeping: Keeping,
    (headers, target): (HeaderMap, Uri),
    Body(PasskeySignIn { credential }): Body<PasskeySignIn>,
) -> Result<Response, Problem> {
    let database = passkeys.edge.tenant(academy.id);
    let credential_id = decode("credential.id", &credential.id)?;
    let AssertionResponse { client_data_json, authenticator_data, signature, user_handle } =
        credential.response;
    let handle = decode("credential.response.userHandle", &user_handle)?;
    let relying_party = relying_party(host, &headers, &target)?;
    let challenge = passkeys.take(&academy, &client_data_json, Purpose::SignIn).await?;
    let found = store::find_passkey(&database, &credential_id, &relying_party.id).await?;
    let is_whose = |person: UserId| Uuid::from_slice(&handle).is_ok_and(|handle| handle == person.as_uuid());
    let mut found = found.filter(|found| is_whose(found.person));
    let shown = Assertion {
        relying_party,
        challenge,
        credential_id: credential.id,
        client_data_json,
        authenticator_data,
        signature,
        // One that nobody knows is asked about all the same: it takes as long.
        public_key: found.as_mut().map(|found| found.public_key.take()),
    };
    let verdict = passkeys.check_assertion(&academy, &request_id, &shown).await?;
    let key = |found: &Found| passkeys.vault.unwrap_key(academy.id, found.person, &found.wrapped_key);
    let owner = match &found {
        Some(found) => Some((found.person, key(found).map_err(Problem::broken)?)),
        None => None,
    };
    let (found, key, public_key, counter) = match (found, &owner, verdict) {
        (Some(found), Some((_, key)), Verdict::Genuine { public_key, counter }) if found.active => {
            (found, key, public_key, counter)
        }
        (_, owner, verdict) => {
            let action = match verdict {
                Verdict::CountedBack => "passkey.counted_back",
                Verdict::Genuine { .. } | Verdict::Refused { .. } => "sign_in.failed",
            };
            return Err(passkeys.refuse(&academy, &origin, owner.as_ref(), action).await?);
        }
    };
    let now = passkeys.edge.ports.now();
    let address = passkeys.throttles.address_tries(b"passkey", &origin);
    let mut batch = throttle::forgiven(&[address]);
    batch.push(store::set_used(found.passkey, &public_key, counter, now));
    let proven = Proven {
        tenant: academy.id,
        person: found.person,
        key,
        granted: &found.granted,
        origin: &origin,
        by: "passkey",
    };
    let unmoved = store::has_counted(found.passkey, found.counter);
    keeping.deliver(passkeys.sessions.start(proven, Some(unmoved), batch).await?)
}

impl Passkeys {
    /// What somebody is told who has shown no passkey that signs in, once it is written down.
    async fn refuse(
        &self,
        academy: &Academy,
        origin: &Origin,
        owner: Option<&(UserId, PersonKey)>,
        action: &'static str,
    ) -> Result<Problem, Problem> {
        let failed = Audit {
            action,
            actor: None,
            target: owner.map_or_else(|| "passkey:unknown".to_owned(), |(person, _)| audit::person(*person)),
            origin,
            sealed_for: owner.map(|(person, key)| (*person, key)),
            change: None,
        };
        let entry = failed.append(&self.edge.ports, self.edge.ports.now())?;
        self.edge.tenant(academy.id).batch(entry.into()).await?;
        Ok(Problem::new(
            StatusCode::UNAUTHORIZED,
            "passkey-refused",
            "This passkey does not sign in here: use another one, or sign in otherwise.",
        ))
    }
}
