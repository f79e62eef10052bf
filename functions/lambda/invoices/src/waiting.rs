//! Invoices that wait until staff have set what they need.

use akademi_domain::{
    exchange_rate::MAX_AGE_DAYS,
    ids::{InvoiceId, JobId},
    money::Currency,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, invoices::enqueue_invoice, postgres::TenantTransaction};

use crate::{Invoices, store};

/// What is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// How the academy invoices.
    Settings,
    /// A recent exchange rate of the currency.
    Rate(Currency),
}

impl Unset {
    /// For staff.
    pub fn reason(self) -> String {
        match self {
            Self::Settings => "the academy has not set how it invoices".to_owned(),
            Self::Rate(currency) => {
                let code = currency.code();
                format!("no exchange rate of {code} is set that is at most {MAX_AGE_DAYS} days old")
            }
        }
    }

    /// Of which currency the rate is missing, if one is.
    pub const fn rate(self) -> Option<Currency> {
        match self {
            Self::Settings => None,
            Self::Rate(currency) => Some(currency),
        }
    }

    /// Whether it is still not set; if so, whoever sets it waits for this transaction to end.
    pub async fn lock(self, tx: &mut TenantTransaction, now: Timestamp) -> Result<bool, StoreError> {
        store::lock_waiting(tx).await?;
        Ok(match self {
            Self::Settings => store::find_settings(tx).await?.is_none(),
            Self::Rate(currency) => {
                store::find_rate_for(tx, currency, now.day_in_istanbul()).await?.is_none()
            }
        })
    }
}

impl Invoices {
    /// Has those that wait tried again from a moment on, of one currency or of all, in the transaction that knows that what they
    /// wait for is there by then and that has called [`store::lock_waiting`] before.
    pub(crate) async fn try_waiting(
        &self,
        tx: &mut TenantTransaction,
        currency: Option<Currency>,
        from: Timestamp,
    ) -> Result<(), StoreError> {
        let waiting: Vec<InvoiceId> = store::queue_waiting(tx, currency, from).await?;
        for invoice in waiting {
            enqueue_invoice(tx, invoice, JobId::new(self.ports.now(), self.ports.random()), from).await?;
        }
        Ok(())
    }
}
