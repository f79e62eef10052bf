//! Whether passkeys are genuine (WebAuthn level 3 §7), for the edge, which keeps them.
//!
//! The edge has made the challenge. The verifier's own state of a ceremony is begun here and given that challenge, so that what it
//! asks of authenticators is what it would ask in one process: that the owner is verified, and no attestation.

use akademi_api::{
    Body, Problem,
    passkey::{Assertion, Attestation, RelyingParty, Verdict},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    Credential, DiscoverableKey, Passkey, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

use crate::IdentityError;

/// A public key of nobody: P-256's own base point (SEC 2 §2.4.2).
const NOBODY: &str = r#"{"cred":{"cred_id":"","cred":{"type_":"ES256","key":{"EC_EC2":{"curve":"SECP256R1",
    "x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}}},
    "counter":0,"transports":null,"user_verified":true,"backup_eligible":true,"backup_state":true,
    "registration_policy":"required","extensions":{"cred_protect":"NotRequested","hmac_create_secret":"NotRequested",
    "appid":"NotRequested","cred_props":"NotRequested"},"attestation":{"data":"None","metadata":"None"},
    "attestation_format":"none"}}"#;

/// A flag of authenticator data (WebAuthn §6.1): the key pair may be on several devices.
const BACKUP_ELIGIBLE: u8 = 0x08;

/// `POST /internal/identity/passkeys/attestation`
pub async fn attestation(Body(shown): Body<Attestation>) -> Result<Body<Verdict>, IdentityError> {
    let verifier = verifier(&shown.relying_party)?;
    // Names are for browsers, which the edge tells them.
    let begun = verifier.start_passkey_registration(Uuid::nil(), &shown.relying_party.id, "-", None);
    let (_, state) = begun.map_err(Problem::broken)?;
    let state = with_challenge(&state, "/rs/challenge", &shown.challenge)?;
    let credential = json!({
        "id": shown.credential_id,
        "rawId": shown.credential_id,
        "type": "public-key",
        "response": { "clientDataJSON": shown.client_data_json, "attestationObject": shown.attestation_object },
    });
    let Ok(credential) = serde_json::from_value(credential) else { return Ok(Body(unreadable())) };
    Ok(Body(match verifier.finish_passkey_registration(&credential, &state) {
        // Its id is the one that it has attested: the other one is what the browser says.
        Ok(passkey) if URL_SAFE_NO_PAD.encode(passkey.cred_id()) == shown.credential_id => genuine(passkey)?,
        Ok(_) => refused(WebauthnError::CredentialNotFound),
        Err(error) => refused(error),
    }))
}

/// `POST /internal/identity/passkeys/assertion`
pub async fn assertion(Body(shown): Body<Assertion>) -> Result<Body<Verdict>, IdentityError> {
    let verifier = verifier(&shown.relying_party)?;
    let (_, state) = verifier.start_discoverable_authentication().map_err(Problem::broken)?;
    let state = with_challenge(&state, "/ast/challenge", &shown.challenge)?;
    let credential = json!({
        "id": shown.credential_id,
        "rawId": shown.credential_id,
        "type": "public-key",
        "response": {
            "clientDataJSON": shown.client_data_json,
            "authenticatorData": shown.authenticator_data,
            "signature": shown.signature,
            "userHandle": null,
        },
    });
    let Ok(credential) = serde_json::from_value(credential) else { return Ok(Body(unreadable())) };
    let is_known = shown.public_key.is_some();
    let mut passkey = match &shown.public_key {
        Some(public_key) => Passkey::deserialize(public_key).map_err(Problem::broken)?,
        None => of_nobody(&shown)?,
    };
    let checked =
        verifier.finish_discoverable_authentication_v2(&credential, state, DiscoverableKey::from(&passkey));
    Ok(Body(match checked {
        Ok(result) if is_known => {
            passkey.update_credential(&result);
            genuine(passkey)?
        }
        Ok(_) => refused(WebauthnError::CredentialNotFound),
        Err(error) => refused(error),
    }))
}

fn verifier(RelyingParty { id, origin }: &RelyingParty) -> Result<Webauthn, Problem> {
    let origin = Url::parse(origin).map_err(Problem::broken)?;
    WebauthnBuilder::new(id, &origin).and_then(WebauthnBuilder::build).map_err(Problem::broken)
}

/// A ceremony's state that waits for `challenge`, which stands at `place` in it.
fn with_challenge<S: Serialize + DeserializeOwned>(
    state: &S,
    place: &str,
    challenge: &str,
) -> Result<S, Problem> {
    let mut state = serde_json::to_value(state).map_err(Problem::broken)?;
    let waits_for = state.pointer_mut(place);
    *waits_for.ok_or_else(|| Problem::broken("a ceremony waits for no challenge"))? = Value::from(challenge);
    serde_json::from_value(state).map_err(Problem::broken)
}

/// A passkey for which all is as it should be but the signature.
fn of_nobody(shown: &Assertion) -> Result<Passkey, Problem> {
    let nobody: Passkey = serde_json::from_str(NOBODY).map_err(Problem::broken)?;
    let mut nobody = Credential::from(nobody);
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    nobody.cred_id = bytes(&shown.credential_id);
    let flags = bytes(&shown.authenticator_data).get(32).copied().unwrap_or_default();
    nobody.backup_eligible = flags & BACKUP_ELIGIBLE != 0;
    Ok(nobody.into())
}

fn genuine(passkey: Passkey) -> Result<Verdict, Problem> {
    let public_key = serde_json::to_value(&passkey).map_err(Problem::broken)?;
    Ok(Verdict::Genuine { public_key, counter: Credential::from(passkey).counter })
}

fn unreadable() -> Verdict {
    Verdict::Refused { reason: "no credential can be read".to_owned() }
}

fn refused(error: WebauthnError) -> Verdict {
    match error {
        WebauthnError::CredentialPossibleCompromise => Verdict::CountedBack,
        error => Verdict::Refused { reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_passkeys_tests::{Authenticator, PRESENT, Saying, VERIFIED};
    use futures::executor::block_on;

    #[test]
    fn what_nobody_knows_fails_by_its_signature_alone() {
        let options = json!({ "rp": { "id": "one.example" }, "challenge": "AQID", "user": { "id": "AA" } });
        let mut authenticator = Authenticator::new(&options).unwrap();
        for flags in [PRESENT | VERIFIED, PRESENT | VERIFIED | BACKUP_ELIGIBLE] {
            let asked = json!({ "rpId": "one.example", "challenge": "AQID" });
            let saying = Saying { flags, ..Saying::honest("https://one.example", &asked).unwrap() };
            let signed = authenticator.get(&saying).unwrap();
            let part = |name: &str| signed["response"][name].as_str().unwrap().to_owned();
            let shown = Assertion {
                relying_party: RelyingParty {
                    id: "one.example".into(),
                    origin: "https://one.example".into(),
                },
                challenge: "AQID".into(),
                credential_id: signed["id"].as_str().unwrap().into(),
                client_data_json: part("clientDataJSON"),
                authenticator_data: part("authenticatorData"),
                signature: part("signature"),
                public_key: None,
            };
            let Body(verdict) = block_on(assertion(Body(shown))).unwrap();
            assert_eq!(verdict, refused(WebauthnError::AuthenticationFailure));
        }
    }
}
