//! The port that invoices leave through.

use akademi_domain::{
    ids::{InvoiceId, TenantId},
    tax_number::Vkn,
};
use akademi_lambda_store::{
    content_type::ContentType, jobs::Failure, object_key::ObjectKey, objects::Objects,
};
use akademi_ubl::{InvoiceNumber, Profile};
use bytes::Bytes;
use futures::future::BoxFuture;

/// An issued invoice.
#[derive(Debug, Clone)]
pub struct Document {
    pub tenant: TenantId,
    /// The document's UUID (ETTN): an integrator who has one of it takes it as the same.
    pub id: InvoiceId,
    pub number: InvoiceNumber,
    pub profile: Profile,
    /// UBL-TR, unsigned, in UTF-8.
    pub xml: String,
}

/// Why a document was not taken over, or a question not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotTaken {
    /// Whether another attempt may succeed.
    pub failure: Failure,
    /// For staff: without personal data, so nothing that an integrator said in words.
    pub reason: String,
}

/// Signs invoices and passes them on to the revenue administration and the buyer (özel entegratör). It answers within a
/// minute.
pub trait Integrator: Send + Sync {
    /// Whether this company is registered for e-Fatura today.
    ///
    /// # Errors
    /// [`NotTaken`]
    fn is_registered(&self, company: Vkn) -> BoxFuture<'_, Result<bool, NotTaken>>;

    /// Hands a document over; `Ok` once the integrator keeps it. The same document may come again.
    ///
    /// # Errors
    /// [`NotTaken`]. Where the connection broke off, it may have been taken over all the same.
    fn hand_over<'a>(&'a self, document: &'a Document) -> BoxFuture<'a, Result<(), NotTaken>>;
}

/// Lays documents into the academy's folder `invoices/{year}` of object storage, where an integrator's own program, or
/// the accountant, takes them up. It knows nobody who is registered.
#[derive(Debug, Clone)]
pub struct FileDrop(pub Objects);

impl FileDrop {
    async fn put(&self, document: &Document) -> Result<(), NotTaken> {
        let (year, file) = (document.number.year().to_string(), format!("{}.xml", document.number));
        let key = ObjectKey::new(document.tenant, ["invoices", &year, &file]).map_err(lasting)?;
        let xml = "application/xml".parse::<ContentType>().map_err(lasting)?;
        let bytes = Bytes::copy_from_slice(document.xml.as_bytes());
        // `Display` names no path.
        self.0
            .put(&key, &xml, bytes)
            .await
            .map_err(|error| NotTaken { failure: Failure::Passing, reason: error.to_string() })
    }
}

impl Integrator for FileDrop {
    fn is_registered(&self, _company: Vkn) -> BoxFuture<'_, Result<bool, NotTaken>> {
        Box::pin(std::future::ready(Ok(false)))
    }

    fn hand_over<'a>(&'a self, document: &'a Document) -> BoxFuture<'a, Result<(), NotTaken>> {
        Box::pin(self.put(document))
    }
}

fn lasting(error: impl std::fmt::Display) -> NotTaken {
    NotTaken { failure: Failure::Lasting, reason: error.to_string() }
}
