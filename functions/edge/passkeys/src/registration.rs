//! Adding a passkey (WebAuthn level 3 §7.1).

use akademi_api::{
    Academy, Body, Caller, Problem,
    caller::{AcademyHost, RequestId},
    passkey::{Attestation, Verdict},
};
use akademi_domain::{ids::PasskeyId, mail::MailKind, text};
use akademi_edge_store::StoreError;
use akademi_identity::{Audit, Known, Letter, Origin, passkey::PASSKEY_NAME};
use axum::extract::State;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode, Uri};
use serde::{Deserialize, Serialize};

use crate::{
    Passkeys,
    ceremony::{CHALLENGE_SECONDS, Purpose, decode, relying_party},
    own::PasskeyEntry,
    store::{self, MAX_PASSKEYS, NewPasskey},
};

/// What is asked for, in the order of preference (IANA COSE algorithms): ES256, ES384, and RS256, which is all that some
/// computers have.
const ALGORITHMS: [i32; 3] = [-7, -35, -257];
const MAX_CREDENTIAL_ID: usize = 1023;

/// What a page gives to `PublicKeyCredential.parseCreationOptionsFromJSON()` (WebAuthn §5.1.8).
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    rp: CreationRelyingParty,
    user: CreationUser,
    challenge: String,
    pub_key_cred_params: Vec<CreationAlgorithm>,
    /// Milliseconds.
    timeout: i64,
    exclude_credentials: Vec<CredentialDescriptor>,
    authenticator_selection: AuthenticatorSelection,
    /// `none`: what makes an authenticator it is not asked.
    attestation: &'static str,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct CreationRelyingParty {
    /// The host that the passkey is for, and no other of the academy's.
    id: String,
    name: String,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreationUser {
    /// 16 bytes, base64url.
    id: String,
    name: String,
    display_name: String,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct CreationAlgorithm {
    #[serde(rename = "type")]
    kind: &'static str,
    /// A COSE algorithm's number.
    alg: i32,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct CredentialDescriptor {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticatorSelection {
    resident_key: &'static str,
    require_resident_key: bool,
    user_verification: &'static str,
}

/// What an owner calls a passkey.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 100)]
pub struct PasskeyName(String);

impl TryFrom<String> for PasskeyName {
    type Error = text::InvalidText;

    fn try_from(input: String) -> Result<Self, text::InvalidText> {
        text::line(&input, 100).map(Self)
    }
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    name: PasskeyName,
    credential: AttestedCredential,
}

/// What `PublicKeyCredential.toJSON()` gives after a creation (WebAuthn §5.1.8), as far as it is read: browsers add to it.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct AttestedCredential {
    #[schema(max_length = 1364)]
    id: String,
    response: AttestationResponse,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttestationResponse {
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    attestation_object: String,
}

/// Begin to add a passkey
///
/// What the page's browser needs to make one. It belongs to this host of the academy; another host needs another. The challenge is
/// good for five minutes, and until the next one.
#[utoipa::path(post, path = "/api/v1/users/me/passkeys/options", tag = "account",
    responses((status = 200, description = "For `navigator.credentials.create()`", body = CreationOptions),
              (status = 409, description = "There are 20 already", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn begin(
    State(passkeys): State<Passkeys>,
    academy: Academy,
    AcademyHost(host): AcademyHost,
    caller: Caller,
) -> Result<Body<CreationOptions>, Problem> {
    let database = passkeys.edge.tenant(caller.tenant);
    let Known { profile, .. } = Known::find(&database, &passkeys.vault, &caller).await?;
    let kept = store::list_passkeys(&database, caller.user).await?;
    if kept.len() >= MAX_PASSKEYS {
        return Err(too_many());
    }
    let (challenge, batch) = passkeys.challenge(Purpose::Adding(caller.user));
    database.batch(batch).await?;
    let of_this_host = kept.into_iter().filter(|kept| kept.host == host);
    Ok(Body(CreationOptions {
        exclude_credentials: of_this_host
            .map(|kept| CredentialDescriptor {
                kind: "public-key",
                id: URL_SAFE_NO_PAD.encode(kept.credential_id),
            })
            .collect(),
        rp: CreationRelyingParty { id: host, name: academy.profile.name.clone() },
        user: CreationUser {
            id: URL_SAFE_NO_PAD.encode(caller.user.as_uuid().as_bytes()),
            name: profile.email.as_str().to_owned(),
            display_name: profile.name.as_str().to_owned(),
        },
        challenge,
        pub_key_cred_params: ALGORITHMS.map(|alg| CreationAlgorithm { kind: "public-key", alg }).into(),
        timeout: CHALLENGE_SECONDS * 1000,
        authenticator_selection: AuthenticatorSelection {
            resident_key: "required",
            require_resident_key: true,
            user_verification: "required",
        },
        attestation: "none",
    }))
}

/// Add a passkey
///
/// What the browser has made. From now on it signs in at this host; the owner is told by mail.
#[utoipa::path(post, path = "/api/v1/users/me/passkeys", tag = "account", request_body = NewCredential,
    responses((status = 201, description = "Added", body = PasskeyEntry),
              (status = 409, description = "The challenge is over, the passkey is known, or there are 20 already", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 422, description = "It is no passkey for this host and challenge", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn add(
    State(passkeys): State<Passkeys>,
    (academy, host, request_id): (Academy, AcademyHost, RequestId),
    caller: Caller,
    origin: Origin,
    (headers, target): (HeaderMap, Uri),
    Body(NewCredential { name: PasskeyName(name), credential }): Body<NewCredential>,
) -> Result<(StatusCode, Body<PasskeyEntry>), Problem> {
    let ports = &passkeys.edge.ports;
    let database = passkeys.edge.tenant(caller.tenant);
    let Known { key, profile, .. } = Known::find(&database, &passkeys.vault, &caller).await?;
    let credential_id = decode("credential.id", &credential.id)?;
    if credential_id.is_empty() || credential_id.len() > MAX_CREDENTIAL_ID {
        return Err(not_one());
    }
    let AttestationResponse { client_data_json, attestation_object } = credential.response;
    let shown = Attestation {
        challenge: passkeys.take(&academy, &client_data_json, Purpose::Adding(caller.user)).await?,
        relying_party: relying_party(host.clone(), &headers, &target)?,
        credential_id: credential.id,
        client_data_json,
        attestation_object,
    };
    let (public_key, counter) = match passkeys.check_attestation(&academy, &request_id, &shown).await? {
        Verdict::Genuine { public_key, counter } => (public_key, counter),
        Verdict::Refused { reason } => return Err(not_one().because(reason)),
        Verdict::CountedBack => return Err(not_one()),
    };
    let now = ports.now();
    let id = PasskeyId::new(now, ports.random());
    let new = NewPasskey {
        id,
        person: caller.user,
        host: &host.0,
        credential_id: &credential_id,
        public_key: &public_key,
        counter,
        name: &key.seal(caller.user, PASSKEY_NAME, name.as_bytes(), ports.random()),
        now,
    };
    let mut batch = vec![store::insert_passkey(new)];
    let letter = Letter {
        kind: MailKind::PasskeyAdded,
        person: caller.user,
        key: &key,
        recipient: &profile,
        link: None,
    };
    batch.extend(letter.wanted(ports, &academy, &host, now)?);
    let entry = Audit {
        action: "passkey.added",
        actor: Some(caller.user),
        target: format!("passkey:{id}"),
        origin: &origin,
        sealed_for: Some((caller.user, &key)),
        change: Some(serde_json::json!({ "after": { "host": host.0 } })),
    };
    batch.extend(entry.append(ports, now)?);
    let added = database.batch_if(store::has_room(caller.user), batch).await;
    added.map_err(|error| match error {
        StoreError::Guard => too_many(),
        error if error.is_duplicate_of("passkey") => known_already(),
        error => error.into(),
    })?;
    let entry = PasskeyEntry { id, name, host: host.0, created_at: now, last_used_at: None };
    Ok((StatusCode::CREATED, Body(entry)))
}

fn not_one() -> Problem {
    Problem::field("credential", "is no passkey for this host and challenge")
}

fn known_already() -> Problem {
    Problem::new(StatusCode::CONFLICT, "passkey-known", "This passkey has been added already.")
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "too-many-passkeys",
        "You have 20 passkeys: remove one that you no longer use first.",
    )
}
