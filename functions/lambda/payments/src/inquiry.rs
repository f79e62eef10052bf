//! An outcome that was had by asking the provider rather than told by its callback.

use akademi_api::Problem;
use akademi_domain::ids::{PaymentId, TenantId};
use akademi_lambda_store::postgres::TenantTransaction;
use uuid::Uuid;

use crate::{
    Payments, PaymentsError,
    provider::{BegunAttempt, Notification, ProviderError, Reference},
    settlement::{Settled, settle},
    store,
};

/// The attempt that we call `reference` at this provider; `None` if there is none.
pub async fn find_attempt(
    tx: &mut TenantTransaction,
    provider: &str,
    reference: &Reference,
) -> Result<Option<BegunAttempt>, PaymentsError> {
    let Ok(id) = Uuid::try_parse(reference.as_str()) else { return Ok(None) };
    Ok(store::find_begun_attempt(tx, provider, PaymentId::from_uuid(id)).await?)
}

/// Applies what the provider has proven of an attempt, in one transaction. What does not fit the attempt changes nothing
/// and raises an alarm.
pub async fn apply(
    payments: &Payments,
    tenant: TenantId,
    provider: &str,
    proven: &Notification,
) -> Result<Settled, PaymentsError> {
    let mut tx = payments.postgres.tenant(tenant).await?;
    let settled = settle(payments, &mut tx, provider, proven).await?;
    if let Some(alarm) = settled.alarm() {
        store::raise_alarm(&mut tx, alarm, proven.attempt.as_str(), payments.ports.now()).await?;
    }
    tx.commit().await?;
    if settled == Settled::Granted {
        payments.wake.wake();
    }
    Ok(settled)
}

/// The provider could not be asked: whoever told us to look is to tell us again.
pub fn unanswered(error: &ProviderError) -> Problem {
    Problem::unavailable()
        .with_detail("The payment provider cannot be asked: send the same again in a moment.")
        .retry_after(5)
        .because(error)
}
