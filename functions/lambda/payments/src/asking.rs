//! Attempts whose end nobody told: the provider is asked, so that money is not taken for an order that ended without it.

use akademi_domain::{
    ids::{PaymentId, TenantId},
    time::Timestamp,
};

use crate::{ORDER_SECONDS, Payments, PaymentsError, error::Failures, inquiry, store};

/// An attempt is asked about once its order has ended, so that the callback comes first.
const FIRST_ASK_SECONDS: i64 = ORDER_SECONDS + 5 * 60;
/// … and then on each of the next three days: a transfer may take so long.
const NEXT_ASK_SECONDS: i64 = 24 * 60 * 60;
/// How many attempts are looked up at once.
const BATCH: u32 = 200;

impl Payments {
    /// Asks what became of the attempts whose end nobody has told by `now` and applies what the provider proves. Returns
    /// how many had an end. May run twice at once.
    ///
    /// # Errors
    /// The first [`PaymentsError`], once all the others were asked about.
    pub async fn ask_about_attempts(&self, now: Timestamp) -> Result<u64, PaymentsError> {
        let again_before = now.plus_seconds(-NEXT_ASK_SECONDS);
        let mut platform = self.postgres.platform().await?;
        let unsettled =
            platform.unsettled_payments(now.plus_seconds(-FIRST_ASK_SECONDS), again_before, BATCH).await?;
        platform.rollback().await?;
        let (mut ended, mut failures) = (0, Failures::default());
        for (tenant, id) in unsettled {
            let asked = failures.or_note(self.ask_about(tenant, id, again_before, now).await);
            ended += u64::from(asked == Some(true));
        }
        failures.end(ended)
    }

    async fn ask_about(
        &self,
        tenant: TenantId,
        id: PaymentId,
        again_before: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PaymentsError> {
        let mut tx = self.postgres.tenant(tenant).await?;
        if !store::claim_ask(&mut tx, id, again_before, now).await? {
            return Ok(false);
        }
        // By itself: one that cannot be asked about is not in the way of the others.
        tx.commit().await?;
        let mut tx = self.postgres.tenant(tenant).await?;
        let Some(payment) = store::find_payment(&mut tx, id).await? else { return Ok(false) };
        let provider = self.provider(&mut tx, &payment.provider).await?;
        tx.commit().await?;
        let Some(provider) = provider else { return Ok(false) };
        // A provider that does not answer is asked again tomorrow.
        let Ok(answer) = provider.inquire(&payment.attempt()).await else { return Ok(false) };
        match answer.outcome(&payment.attempt().reference) {
            Some(proven) => {
                inquiry::apply(self, tenant, &payment.provider, &proven).await?;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}
