//! Orders that nobody paid in time: they end, and what they held is free again.

use akademi_domain::{order::Event, time::Timestamp};

use crate::{Payments, PaymentsError, settlement, store};

/// How many orders are looked up at once.
const BATCH: u32 = 200;

impl Payments {
    /// Ends the orders whose time was over at `now`, each in a transaction of its own, and returns how many. May run
    /// twice at once and beside callbacks: who locks an order first decides what becomes of it.
    ///
    /// # Errors
    /// [`PaymentsError`]; what has ended before it stays ended.
    pub async fn expire_orders(&self, now: Timestamp) -> Result<u64, PaymentsError> {
        let mut ended = 0;
        loop {
            let mut platform = self.postgres.platform().await?;
            let overdue = platform.overdue_orders(now, BATCH).await?;
            platform.rollback().await?;
            for (tenant, id) in &overdue {
                let mut tx = self.postgres.tenant(*tenant).await?;
                if let Some(order) = store::lock_order(&mut tx, *id).await?
                    && settlement::end(&mut tx, &order, Event::Expire, now).await?
                {
                    ended += 1;
                }
                tx.commit().await?;
            }
            if overdue.len() < BATCH as usize {
                return Ok(ended);
            }
        }
    }
}
