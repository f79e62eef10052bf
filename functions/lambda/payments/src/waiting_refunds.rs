//! Refunds that have no end yet: those that were never sent are sent, the provider is asked about the others.

use akademi_domain::{
    ids::{RefundId, TenantId},
    time::Timestamp,
};

use crate::{
    Payments, PaymentsError,
    error::Failures,
    provider::{Inquiry, Reference},
    refunding, store,
};

/// How long a refund that was sent may stay unknown to the provider before it counts as never booked, and is refused for
/// a person to decide.
const GIVE_UP_SECONDS: i64 = 30 * 60;
/// How many refunds are looked up at once.
const BATCH: u32 = 200;

impl Payments {
    /// Goes on with the refunds that are due at `now`: those that were never sent are, the others are asked about. Returns how
    /// many it looked at. May run twice at once.
    ///
    /// # Errors
    /// The first [`PaymentsError`], once all the others were looked at.
    pub async fn resolve_refunds(&self, now: Timestamp) -> Result<u64, PaymentsError> {
        let mut platform = self.postgres.platform().await?;
        let due = platform.due_refunds(now, BATCH).await?;
        platform.rollback().await?;
        let (mut resolved, mut failures) = (0, Failures::default());
        for (tenant, id) in due {
            resolved += u64::from(failures.or_note(self.resolve_refund(tenant, id).await).is_some());
        }
        failures.end(resolved)
    }

    async fn resolve_refund(&self, tenant: TenantId, id: RefundId) -> Result<(), PaymentsError> {
        let mut tx = self.postgres.tenant(tenant).await?;
        let now = self.ports.now();
        let Some((_, _, refund)) = refunding::lock(&mut tx, id).await? else { return Ok(()) };
        let is_ours = store::claim_refund(&mut tx, id, refunding::pause(&refund, now), now).await?;
        // By itself: one that cannot be gone on with is not in the way of the others.
        tx.commit().await?;
        match refund.sent_at {
            _ if !is_ours => Ok(()),
            None => self.send_refund(tenant, id).await,
            Some(sent_at) => self.ask_about_refund(tenant, id, sent_at, now).await,
        }
    }

    async fn send_refund(&self, tenant: TenantId, id: RefundId) -> Result<(), PaymentsError> {
        let mut tx = self.postgres.tenant(tenant).await?;
        let Some((_, payment, refund)) = refunding::lock(&mut tx, id).await? else { return Ok(()) };
        if refund.sent_at.is_some() {
            return Ok(());
        }
        let Some(sending) = refunding::prepare(self, &mut tx, &payment, &refund).await? else {
            return Ok(());
        };
        tx.commit().await?;
        let answer = sending.send().await;
        let mut tx = self.postgres.tenant(tenant).await?;
        refunding::settle(self, &mut tx, id, answer).await?;
        tx.commit().await?;
        self.wake.wake();
        Ok(())
    }

    /// Asks what became of a refund that was sent; `now` is the moment of the question.
    async fn ask_about_refund(
        &self,
        tenant: TenantId,
        id: RefundId,
        sent_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), PaymentsError> {
        let mut tx = self.postgres.tenant(tenant).await?;
        let Some((_, payment, _)) = refunding::lock(&mut tx, id).await? else { return Ok(()) };
        let provider = self.provider(&mut tx, &payment.provider).await?;
        tx.commit().await?;
        let Some(provider) = provider else { return Ok(()) };
        let Ok(inquiry) = provider.inquire(&payment.attempt()).await else { return Ok(()) };
        let reference = Reference::from(id);
        let is_booked = matches!(&inquiry, Inquiry::Captured(captured)
            if captured.refunds.iter().any(|seen| seen.reference.as_deref() == Some(reference.as_str())));
        let mut tx = self.postgres.tenant(tenant).await?;
        let Some((order, payment, refund)) = refunding::lock(&mut tx, id).await? else { return Ok(()) };
        // The age is that of the question: what was not booked then may be by now.
        if is_booked {
            refunding::complete(self, &mut tx, &order, &payment, &refund).await?;
        } else if now.millis_since(sent_at) >= GIVE_UP_SECONDS * 1000 {
            refunding::refuse(&mut tx, &refund, "not_booked", "The provider has not booked it.", now).await?;
        }
        tx.commit().await?;
        self.wake.wake();
        Ok(())
    }
}
