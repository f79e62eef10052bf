//! `POST /callbacks/{provider}/{tenant_token}`: verified, stored as it came, then applied. One that only says where to look is
//! applied as far as the provider's answer to an inquiry goes.

use akademi_api::{PathParam, Problem, body::read_bytes, caller::ClientAddress, problem::ProblemDocument};
use akademi_domain::ids::TenantId;
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

use crate::{
    Payments, PaymentsError, inquiry,
    provider::{Callback, CallbackRefused, Notification, Told},
    settlement::{Settled, settle},
    store::{self, ReceivedCallback},
};

/// No provider's callback comes near this many bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// Tell the outcome of a payment
///
/// For payment providers, on the platform's host: a form or an event that the provider has signed. Repeating it changes
/// nothing.
#[utoipa::path(post, path = "/callbacks/{provider}/{tenant_token}", tag = "payments",
    params(("provider" = String, Path, description = "`paytr`, `iyzico` or `stripe`"),
           ("tenant_token" = String, Path, description = "The academy's own, which nobody can guess")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "As the provider documents it"),
    responses((status = 200, description = "As the provider wants it, `OK` or nothing: it is stored and applied, now or before", body = String, content_type = "text/plain"),
              (status = 400, description = "It is not the provider's, or cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "It does not fit what was asked: a person will look", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn receive(
    State(payments): State<Payments>,
    PathParam((provider, token)): PathParam<(String, String)>,
    request: Request,
) -> Result<Response, PaymentsError> {
    let (parts, body) = request.into_parts();
    let body = read_bytes(&parts.headers, body, BODY_LIMIT).await?;
    let tenant = find_tenant(&payments, &provider, &token).await?.ok_or_else(Problem::not_found)?;
    let digest: [u8; 32] = Sha256::digest(&body).into();

    let mut tx = payments.postgres.tenant(tenant).await?;
    let account = payments.account(&mut tx, &provider).await?.ok_or_else(Problem::not_found)?;
    let now = payments.ports.now();
    let callback = Callback { headers: &parts.headers, body: &body, received_at: now };
    let verified = if is_listed(&account.networks, parts.extensions.get::<ClientAddress>()) {
        account.provider.verify_callback(&callback).map_err(Refused::Callback)
    } else {
        Err(Refused::UnlistedAddress)
    };
    let verification = verified.as_ref().map_or_else(Refused::name, |_| "verified");
    let signature = account.provider.signature_header().and_then(|name| parts.headers.get(name));
    let signature = signature.and_then(|value| value.to_str().ok());
    let received = ReceivedCallback { provider: &provider, digest, body: &body, signature, verification };
    store::save_callback(&mut tx, &received, now).await?;
    if verified.is_err() {
        store::raise_alarm(&mut tx, verification, &hex::encode(digest), now).await?;
    }
    // Read before the commit, and asked about after it.
    let look = match &verified {
        Ok(Told::Look(reference)) => inquiry::find_attempt(&mut tx, &provider, reference).await?,
        _ => None,
    };
    tx.commit().await?;

    let told = verified.map_err(|refused| {
        Problem::new(StatusCode::BAD_REQUEST, "callback-refused", "This is no callback of the provider.")
            .because(refused)
    })?;
    let proven = match (told, look) {
        (Told::Outcome(notification), _) => Proven::Outcome(notification),
        (Told::Nothing, _) => Proven::Nothing,
        (Told::Look(_), None) => Proven::UnknownAttempt,
        (Told::Look(reference), Some(attempt)) => {
            let inquiry = account.provider.inquire(&attempt).await;
            let inquiry = inquiry.map_err(|error| inquiry::unanswered(&error))?;
            inquiry.outcome(&reference).map_or(Proven::Nothing, Proven::Outcome)
        }
    };
    let settled = apply(&payments, tenant, &provider, &digest, &proven).await?;
    match settled.and_then(Settled::alarm) {
        None => {
            let plain = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            Ok((StatusCode::OK, [plain], account.provider.acknowledgement()).into_response())
        }
        // Not acknowledged, so that it stands out in the provider's panel too.
        Some(alarm) => {
            let detail = "This does not fit what was asked for.";
            Err(Problem::new(StatusCode::CONFLICT, "callback-does-not-fit", detail).because(alarm).into())
        }
    }
}

/// Why a callback counts for nothing.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Callback(CallbackRefused),
    #[error("it comes from an address that the academy has not listed")]
    UnlistedAddress,
}

impl Refused {
    /// As it is stored, and the alarm's kind.
    const fn name(&self) -> &'static str {
        match self {
            Self::Callback(CallbackRefused::WrongSignature) => "wrong_signature",
            Self::Callback(CallbackRefused::Malformed(_)) => "malformed",
            Self::Callback(CallbackRefused::Stale) => "stale",
            Self::UnlistedAddress => "unlisted_address",
        }
    }
}

/// What a callback has led us to know.
enum Proven {
    Outcome(Notification),
    /// Neither capture nor failure, or something else entirely.
    Nothing,
    UnknownAttempt,
}

/// Whether a callback may come from this address: any may where no networks are listed.
fn is_listed(networks: &[IpNet], client: Option<&ClientAddress>) -> bool {
    let address = || client.and_then(|ClientAddress(text)| text.parse::<IpAddr>().ok());
    // An IPv4 client of an IPv6 socket appears as ::ffff:a.b.c.d.
    networks.is_empty()
        || address()
            .is_some_and(|address| networks.iter().any(|network| network.contains(&address.to_canonical())))
}

/// A token is 128 bits in hexadecimal; anything else is not worth a look.
async fn find_tenant(
    payments: &Payments,
    provider: &str,
    token: &str,
) -> Result<Option<TenantId>, PaymentsError> {
    if token.len() != 32 || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let mut platform = payments.postgres.platform().await?;
    let tenant = platform.tenant_of_callback(provider, token).await?;
    platform.rollback().await?;
    Ok(tenant)
}

/// Applies what a stored callback has led to, with its outcome, in one transaction.
async fn apply(
    payments: &Payments,
    tenant: TenantId,
    provider: &str,
    digest: &[u8; 32],
    proven: &Proven,
) -> Result<Option<Settled>, PaymentsError> {
    let mut tx = payments.postgres.tenant(tenant).await?;
    let settled = match proven {
        Proven::Outcome(notification) => Some(settle(payments, &mut tx, provider, notification).await?),
        Proven::Nothing => None,
        Proven::UnknownAttempt => Some(Settled::UnknownAttempt),
    };
    let alarm = settled.and_then(Settled::alarm);
    let outcome = match settled {
        Some(Settled::Applied | Settled::Granted) => "applied",
        Some(Settled::Repeated) => "repeated",
        Some(Settled::UnknownAttempt | Settled::WrongAmount) => alarm.unwrap_or_default(),
        None => "nothing",
    };
    store::save_callback_outcome(&mut tx, provider, digest, outcome).await?;
    if let Some(alarm) = alarm {
        store::raise_alarm(&mut tx, alarm, &hex::encode(digest), payments.ports.now()).await?;
    }
    tx.commit().await?;
    if settled == Some(Settled::Granted) {
        payments.wake.wake();
    }
    Ok(settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_networks_may_call_where_any_are_listed() {
        let networks: Vec<IpNet> =
            ["203.0.113.0/24", "2001:db8::/32"].iter().map(|text| text.parse().unwrap()).collect();
        let listed = |text: &str| is_listed(&networks, Some(&ClientAddress(text.to_owned())));
        for address in ["203.0.113.7", "::ffff:203.0.113.7", "2001:db8::1"] {
            assert!(listed(address), "{address}");
        }
        for address in ["203.0.114.7", "::1", "2001:db9::1", "", "203.0.113.7, 1.1.1.1"] {
            assert!(!listed(address), "{address}");
        }
        assert!(!is_listed(&networks, None), "a host that does not know");
        assert!(is_listed(&[], None));
    }
}
