//! The academy takes a certificate back.

use akademi_api::{Body, Caller, PathParam, Problem, signed::CallContext};
use akademi_domain::{
    certificate::CertificateSerial,
    text::{InvalidText, line},
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    feed,
};
use axum::{Extension, extract::State};
use serde::Deserialize;
use serde_json::json;

use super::{CertificateAnswer, Certificates, store};
use crate::{CertificatesError, holder};

/// The longest reason, in characters.
const MAX_REASON: usize = 500;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Why, for the academy's staff: nobody else is told, and nobody at all once the holder was erased.
    #[schema(value_type = String, min_length = 1, max_length = 500)]
    reason: Reason,
}

/// One line in NFC of 1 to [`MAX_REASON`] characters.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Reason(String);

impl TryFrom<String> for Reason {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        line(&text, MAX_REASON).map(Self)
    }
}

/// The certificate in the audit log: enough of its serial to tell it from others, too little to look it up with.
fn masked(serial: CertificateSerial) -> String {
    let serial = serial.to_string();
    format!("certificate:{}…", serial.get(..8).unwrap_or_default())
}

/// Revoke a certificate
///
/// For good. Whoever checks it is told that it was revoked, and when. One that was revoked before stays as it is.
#[utoipa::path(post, path = "/api/v1/certificates/{serial}/revocation", tag = "certificates",
    request_body = Revocation,
    params(("serial" = CertificateSerial, Path, description = "The certificate")),
    responses((status = 200, description = "The revoked certificate", body = CertificateAnswer)))]
pub async fn revoke(
    State(certificates): State<Certificates>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(serial): PathParam<CertificateSerial>,
    Body(Revocation { reason: Reason(reason) }): Body<Revocation>,
) -> Result<Body<CertificateAnswer>, CertificatesError> {
    let now = certificates.ports.now();
    let mut tx = certificates.postgres.tenant(caller.tenant).await?;
    let certificate = store::find_certificate(&mut tx, serial).await?.ok_or_else(Problem::not_found)?;
    let reason = certificate.wrapped_key.as_deref().and_then(|key| {
        let nonce = certificates.ports.random();
        let sealed =
            holder::seal_reason(&certificates.vault, caller.tenant, certificate.person, key, &reason, nonce);
        certificates.or_log(caller.tenant, sealed)
    });
    let revoked_now = store::revoke_certificate(&mut tx, serial, caller.user, reason.as_deref(), now).await?;
    if revoked_now {
        feed::append(&mut tx, &LambdaEvent::CertificateRevoked { serial, at: now }, now).await?;
        // The reason is about a person, and stays with the certificate.
        let revoked = Write {
            action: Action::CertificateRevoked,
            target: masked(serial),
            before: json!({ "revoked_at": null }),
            after: json!({ "revoked_at": now, "person": certificate.person, "course": certificate.course }),
        };
        certificates.auditor.record(&mut tx, Actor::new(&caller, &call), revoked).await?;
    }
    let certificate = store::find_certificate(&mut tx, serial).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    if revoked_now {
        certificates.wake.wake();
    }
    Ok(Body(certificates.answer(caller.tenant, certificate)))
}
