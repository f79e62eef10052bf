//! `POST /callbacks/{provider}/{tenant_token}`: verified, stored as it came, then applied.

use akademi_api::{PathParam, Problem, body::read_bytes, problem::ProblemDocument};
use akademi_domain::ids::TenantId;
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::{
    Payments, PaymentsError,
    provider::{CallbackRefused, Notification},
    settlement::{Settled, settle},
    store::{self, ReceivedCallback},
};

/// No provider's callback comes near this many bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// Tell the outcome of a payment
///
/// For payment providers, on the platform's host: a form that the provider has signed. Repeating it changes nothing.
#[utoipa::path(post, path = "/callbacks/{provider}/{tenant_token}", tag = "payments",
    params(("provider" = String, Path, description = "`paytr`"),
           ("tenant_token" = String, Path, description = "The academy's own, which nobody can guess")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "As the provider documents it"),
    responses((status = 200, description = "`OK`: it is stored and applied, now or before", body = String, content_type = "text/plain"),
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
    let account = payments.provider(&mut tx, &provider).await?.ok_or_else(Problem::not_found)?;
    let verified = account.verify_callback(&body);
    let verification = match &verified {
        Ok(_) => "verified",
        Err(CallbackRefused::WrongSignature) => "wrong_signature",
        Err(CallbackRefused::Malformed(_)) => "malformed",
    };
    let now = payments.ports.now();
    let received = ReceivedCallback { provider: &provider, digest, body: &body, verification };
    store::save_callback(&mut tx, &received, now).await?;
    if verified.is_err() {
        store::raise_alarm(&mut tx, verification, &hex::encode(digest), now).await?;
    }
    tx.commit().await?;

    let notification = verified.map_err(|refused| {
        Problem::new(StatusCode::BAD_REQUEST, "callback-refused", "This is no callback of the provider.")
            .because(refused)
    })?;
    match apply(&payments, tenant, &provider, &digest, &notification).await? {
        Settled::Applied | Settled::Granted | Settled::Repeated => {
            let plain = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            Ok((StatusCode::OK, [plain], account.acknowledgement()).into_response())
        }
        // Not acknowledged, so that it stands out in the provider's panel too.
        alarming @ (Settled::UnknownAttempt | Settled::WrongAmount) => {
            let detail = "This does not fit what was asked for.";
            Err(Problem::new(StatusCode::CONFLICT, "callback-does-not-fit", detail)
                .because(format!("{alarming:?}"))
                .into())
        }
    }
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

/// Applies a stored callback with its outcome in one transaction.
async fn apply(
    payments: &Payments,
    tenant: TenantId,
    provider: &str,
    digest: &[u8; 32],
    notification: &Notification,
) -> Result<Settled, PaymentsError> {
    let mut tx = payments.postgres.tenant(tenant).await?;
    let settled = settle(payments, &mut tx, provider, notification).await?;
    let outcome = match settled {
        Settled::Applied | Settled::Granted => "applied",
        Settled::Repeated => "repeated",
        Settled::UnknownAttempt => "unknown_attempt",
        Settled::WrongAmount => "wrong_amount",
    };
    store::save_callback_outcome(&mut tx, provider, digest, outcome).await?;
    if matches!(settled, Settled::UnknownAttempt | Settled::WrongAmount) {
        store::raise_alarm(&mut tx, outcome, &hex::encode(digest), payments.ports.now()).await?;
    }
    tx.commit().await?;
    if settled == Settled::Granted {
        payments.wake.wake();
    }
    Ok(settled)
}
