//! The mail that tells a buyer of an invoice. It holds no part of the invoice: it leads to the order's page, where the buyer
//! signs in and has the document.

use akademi_api::Problem;
use akademi_domain::{
    ids::{MailId, OrderId, UserId},
    mail::MailKind,
};
use akademi_lambda_store::{
    mail::{WantedMail, queue_mail},
    postgres::TenantTransaction,
};

use crate::{
    Invoices, InvoicesError,
    store::{self, Site},
};

impl Invoices {
    /// Has the buyer of an order told, in the transaction that issues the invoice: once, and not without it. Nobody is told
    /// who was erased.
    ///
    /// # Errors
    /// `internal` for a profile that cannot be read.
    pub(crate) async fn tell_buyer(
        &self,
        tx: &mut TenantTransaction,
        buyer: UserId,
        order: OrderId,
        kind: MailKind,
    ) -> Result<(), InvoicesError> {
        let Some(site) = store::find_site(tx).await? else { return Ok(()) };
        let Some((profile, key)) = self.profile_of(tx, buyer).await? else { return Ok(()) };
        let Site { host, locale } = site;
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&profile).map_err(Problem::broken)?);
        let at = self.ports.now();
        let wanted = WantedMail {
            id: MailId::new(at, self.ports.random()),
            person: buyer,
            kind,
            recipient: key.seal(buyer, "mail", &plain, self.ports.random()),
            link: None,
            order: Some(order),
            host,
            locale,
            at,
        };
        Ok(queue_mail(tx, &wanted, &self.ports).await?)
    }
}
