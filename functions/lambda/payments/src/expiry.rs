//! Orders that nobody paid in time: they end, and what they held is free again.

use akademi_domain::{
    ids::{OrderId, TenantId},
    order::Event,
    time::Timestamp,
};

use crate::{Payments, PaymentsError, error::Failures, settlement, store};

/// How many orders are looked up at once.
const BATCH: u32 = 200;

impl Payments {
    /// Ends the orders whose time was over at `now`, each in a transaction of its own, and returns how many. May run
    /// twice at once and beside callbacks: who locks an order first decides what becomes of it.
    ///
    /// # Errors
    /// The first [`PaymentsError`], once the others were ended.
    pub async fn expire_orders(&self, now: Timestamp) -> Result<u64, PaymentsError> {
        let (mut ended, mut failures) = (0, Failures::default());
        loop {
            let mut platform = self.postgres.platform().await?;
            let overdue = platform.overdue_orders(now, BATCH).await?;
            platform.rollback().await?;
            for (tenant, id) in &overdue {
                let expired = failures.or_note(self.expire_order(*tenant, *id, now).await);
                ended += u64::from(expired == Some(true));
            }
            // Those that cannot be ended would be found again and again.
            if overdue.len() < BATCH as usize || failures.any() {
                return failures.end(ended);
            }
        }
    }

    async fn expire_order(
        &self,
        tenant: TenantId,
        id: OrderId,
        now: Timestamp,
    ) -> Result<bool, PaymentsError> {
        let mut tx = self.postgres.tenant(tenant).await?;
        let Some(order) = store::lock_order(&mut tx, id).await? else { return Ok(false) };
        let has_ended = settlement::end(&mut tx, &order, Event::Expire, now).await?;
        tx.commit().await?;
        Ok(has_ended)
    }
}
