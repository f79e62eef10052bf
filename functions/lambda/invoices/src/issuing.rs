//! A request becomes an invoice with a number.

use akademi_api::Problem;
use akademi_domain::{
    ids::InvoiceId,
    mail::MailKind,
    money::Currency,
    time::{Day, Timestamp},
};
use akademi_lambda_store::{
    invoices::{ReturnedLine, take_number},
    jobs::Failure,
    postgres::TenantTransaction,
};
use akademi_seal::RecordKey;
use akademi_ubl::{
    Identity, Invoice, InvoiceNumber, Kind, Line, OriginalInvoice, Party, Payment, PricingExchangeRate,
    Profile, to_xml,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{
    Document, Invoices, InvoicesError,
    integrator::NotTaken,
    settings::Checked,
    store::{self, InvoicedOrder, Issued, OrderLine, Requested},
    waiting::Unset,
};

/// What is sealed of an issued invoice.
#[derive(Serialize, Deserialize)]
pub struct Record {
    pub xml: String,
    /// Whom a return has to name again.
    buyer: Party,
}

/// Why there is no invoice.
pub enum NotIssued {
    /// Until staff have set it.
    Waiting(Unset),
    Refused(NotTaken),
}

impl From<NotTaken> for NotIssued {
    fn from(reason: NotTaken) -> Self {
        Self::Refused(reason)
    }
}

/// What an invoice is made of, before it has a number.
struct Draft {
    settings: Checked,
    order: InvoicedOrder,
    lines: Vec<Line>,
    buyer: Party,
    profile: Profile,
    kind: Kind,
}

impl Invoices {
    /// The document of a request: issued now, in a transaction of its own, or before.
    pub(crate) async fn document(
        &self,
        tx: TenantTransaction,
        requested: &Requested,
    ) -> Result<Result<Document, NotIssued>, InvoicesError> {
        if let Some(issued) = &requested.issued {
            return self.issued_document(tx, requested.id, issued).await.map(Ok);
        }
        match self.draft(tx, requested).await? {
            Ok(draft) => self.issue(requested, draft).await,
            Err(reason) => Ok(Err(reason)),
        }
    }

    async fn issued_document(
        &self,
        mut tx: TenantTransaction,
        id: InvoiceId,
        issued: &Issued,
    ) -> Result<Document, InvoicesError> {
        let record = self.record(&mut tx, id, issued).await?;
        let tenant = tx.tenant();
        tx.commit().await?;
        Ok(Document { tenant, id, number: issued.number, profile: issued.profile, xml: record.xml })
    }

    /// Reads what an invoice is made of. Who asks the integrator holds no transaction.
    async fn draft(
        &self,
        mut tx: TenantTransaction,
        requested: &Requested,
    ) -> Result<Result<Draft, NotIssued>, InvoicesError> {
        let Some(settings) = self.settings(&mut tx).await? else {
            return Ok(Err(NotIssued::Waiting(Unset::Settings)));
        };
        let Some(order) = store::find_order(&mut tx, requested.order).await? else {
            return Ok(Err(never("the order is not there")));
        };
        let sold = store::order_lines(&mut tx, requested.order).await?;
        match &requested.returned {
            None => self.sale(tx, settings, order, sold).await,
            Some(returned) => self.returned(tx, settings, order, &sold, returned).await,
        }
    }

    async fn sale(
        &self,
        mut tx: TenantTransaction,
        settings: Checked,
        order: InvoicedOrder,
        sold: Vec<OrderLine>,
    ) -> Result<Result<Draft, NotIssued>, InvoicesError> {
        let buyer = self.buyer(&mut tx, order.user, order.id).await?;
        tx.commit().await?;
        let profile = match self.profile(&settings, &buyer).await {
            Ok(profile) => profile,
            Err(reason) => return Ok(Err(reason.into())),
        };
        let lines = sold.into_iter().map(|line| settings.exempt(line.sold())).collect();
        Ok(Ok(Draft { settings, order, lines, buyer, profile, kind: Kind::Sale }))
    }

    /// A return names whom the sale named, and is never answered.
    async fn returned(
        &self,
        mut tx: TenantTransaction,
        settings: Checked,
        order: InvoicedOrder,
        sold: &[OrderLine],
        returned: &[ReturnedLine],
    ) -> Result<Result<Draft, NotIssued>, InvoicesError> {
        let Some((sale, original)) = store::find_sale(&mut tx, order.id).await? else {
            return Ok(Err(later("the order's own invoice is not issued yet")));
        };
        let buyer = self.record(&mut tx, sale, &original).await?.buyer;
        tx.commit().await?;
        let lines = returned.iter().map(|returned| Some(settings.exempt(back(returned, sold)?)));
        let Some(lines) = lines.collect::<Option<Vec<Line>>>() else {
            return Ok(Err(never("a line that is given back is none of the order's")));
        };
        let profile = match original.profile {
            Profile::Archive => Profile::Archive,
            Profile::Basic | Profile::Commercial => Profile::Basic,
        };
        let issued_on = original.issued_at.day_in_istanbul();
        let kind = Kind::Return(OriginalInvoice { number: original.number, issued_on });
        Ok(Ok(Draft { settings, order, lines, buyer, profile, kind }))
    }

    async fn profile(&self, settings: &Checked, buyer: &Party) -> Result<Profile, NotTaken> {
        let registered = match buyer.identity {
            Identity::Company { number, .. } => self.integrator.is_registered(number).await?,
            Identity::Person { .. } => false,
        };
        Ok(if registered { settings.profile } else { Profile::Archive })
    }

    /// Takes the number and keeps the invoice under it, in one transaction.
    async fn issue(
        &self,
        requested: &Requested,
        draft: Draft,
    ) -> Result<Result<Document, NotIssued>, InvoicesError> {
        let mut tx = self.postgres.tenant(requested.tenant).await?;
        if !store::lock_queued(&mut tx, requested.id).await? {
            return Ok(Err(later("another has issued it")));
        }
        // Read again under the lock that whoever names another waits for.
        if draft.kind == Kind::Sale
            && self.buyer(&mut tx, draft.order.user, draft.order.id).await? != draft.buyer
        {
            return Ok(Err(later("the buyer has just named another")));
        }
        let now = self.ports.now();
        let Some(year) = year_of(now) else { return Ok(Err(never("the clock is beyond the century"))) };
        // From here to the commit nobody else of this series goes on.
        let series = draft.settings.series(draft.profile);
        let taken = match take_number(&mut tx, &series.to_string(), year, now).await {
            Err(error) if error.constraint() == Some("invoice_series_full") => {
                return Ok(Err(never("the series is full")));
            }
            taken => taken?,
        };
        let number = InvoiceNumber::new(series, year, taken.sequence).map_err(Problem::broken)?;
        let currency = draft.order.total.currency;
        let exchange_rate = match currency {
            Currency::TRY => None,
            Currency::EUR | Currency::USD => {
                match store::find_rate_for(&mut tx, currency, taken.issued_at.day_in_istanbul()).await? {
                    Some(found) => Some(found.rate),
                    // Rolled back, and the number with it.
                    None => return Ok(Err(NotIssued::Waiting(Unset::Rate(currency)))),
                }
            }
        };
        let invoice = draft.invoice(requested.id, number, taken.issued_at, exchange_rate);
        let xml = match to_xml(&invoice) {
            Ok(xml) => xml,
            Err(error) => return Ok(Err(never(&error.to_string()))),
        };
        let record = Record { xml, buyer: invoice.buyer };
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&record).map_err(Problem::broken)?);
        let key = self.year_key(&mut tx, year).await?;
        let sealed_document = key.seal(&requested.id.to_string(), &plain, self.ports.random());
        let issued = Issued { number, profile: draft.profile, issued_at: taken.issued_at, sealed_document };
        store::save_issued(&mut tx, requested.id, &issued, invoice.total, invoice.vat).await?;
        if requested.returned.is_none() {
            store::delete_details(&mut tx, requested.order).await?;
        }
        let kind = match draft.kind {
            Kind::Sale => MailKind::InvoiceIssued,
            Kind::Return(_) => MailKind::CreditNoteIssued,
        };
        self.tell_buyer(&mut tx, draft.order.user, draft.order.id, kind).await?;
        tx.commit().await?;
        let Record { xml, .. } = record;
        Ok(Ok(Document { tenant: requested.tenant, id: requested.id, number, profile: draft.profile, xml }))
    }

    /// What was sealed of an issued invoice.
    ///
    /// # Errors
    /// 410 once it need not be kept any longer, and its key is gone; `internal` if it does not open.
    pub(crate) async fn record(
        &self,
        tx: &mut TenantTransaction,
        id: InvoiceId,
        issued: &Issued,
    ) -> Result<Record, InvoicesError> {
        let sealed_key = store::find_key(tx, issued.number.year()).await?.ok_or_else(gone)?;
        let key = self.open_year_key(tx, issued.number.year(), &sealed_key)?;
        let plain = key.open(&id.to_string(), &issued.sealed_document).map_err(Problem::broken)?;
        let record = serde_json::from_slice(&plain);
        Ok(record.map_err(|_| Problem::broken("a sealed invoice has another shape"))?)
    }

    async fn year_key(&self, tx: &mut TenantTransaction, year: u16) -> Result<RecordKey, InvoicesError> {
        if let Some(sealed) = store::find_key(tx, year).await? {
            return self.open_year_key(tx, year, &sealed);
        }
        let bytes = zeroize::Zeroizing::new(self.ports.random::<32>());
        let purpose = key_purpose(year);
        let sealed = self.vault.seal_secret(tx.tenant(), &purpose, bytes.as_slice(), self.ports.random());
        // Somebody else's if they were faster, with another series.
        let kept = store::keep_key(tx, year, &sealed, year_ends_at(year)).await?;
        self.open_year_key(tx, year, &kept)
    }

    fn open_year_key(
        &self,
        tx: &TenantTransaction,
        year: u16,
        sealed: &[u8],
    ) -> Result<RecordKey, InvoicesError> {
        let plain = self.vault.open_secret(tx.tenant(), &key_purpose(year), sealed);
        let plain = plain.map_err(Problem::broken)?;
        let bytes: [u8; 32] = plain.as_slice().try_into().map_err(Problem::broken)?;
        Ok(RecordKey::from_bytes(bytes))
    }
}

impl Draft {
    fn invoice(
        &self,
        id: InvoiceId,
        number: InvoiceNumber,
        issued_at: Timestamp,
        exchange_rate: Option<PricingExchangeRate>,
    ) -> Invoice {
        let paid = self.order.paid_at.zip(self.order.provider.clone());
        let payment = paid.map(|(at, agent)| Payment { paid_on: at.day_in_istanbul(), agent });
        Invoice {
            number,
            uuid: id.as_uuid(),
            profile: self.profile,
            kind: self.kind,
            issued_at,
            currency: self.order.total.currency,
            exchange_rate,
            seller: self.settings.seller.clone(),
            buyer: self.buyer.clone(),
            // An order says what its lines sum to, and the document's rules compare both.
            total: match self.kind {
                Kind::Sale => self.order.total.amount,
                Kind::Return(_) => self.lines.iter().map(|line| line.total).sum(),
            },
            vat: match self.kind {
                Kind::Sale => self.order.vat.amount,
                Kind::Return(_) => self.lines.iter().map(|line| line.vat).sum(),
            },
            lines: self.lines.clone(),
            order: self.order.id.to_string(),
            ordered_on: self.order.created_at.day_in_istanbul(),
            payment: payment.filter(|_| self.kind == Kind::Sale),
            notes: Vec::new(),
        }
    }
}

impl OrderLine {
    fn sold(self) -> Line {
        Line {
            name: self.title,
            price: self.price,
            discount: self.discount,
            total: self.total,
            vat: self.vat,
            vat_rate: self.vat_rate,
            exemption: None,
        }
    }
}

/// The line of what is given back; `None` if the order has none of this course, or less was paid for it.
fn back(returned: &ReturnedLine, order_lines: &[OrderLine]) -> Option<Line> {
    let sold = order_lines.iter().find(|line| line.course == returned.course)?;
    (returned.total <= sold.total).then(|| Line {
        name: sold.title.clone(),
        price: returned.total,
        discount: 0,
        total: returned.total,
        vat: returned.vat,
        vat_rate: sold.vat_rate,
        exemption: None,
    })
}

fn gone() -> Problem {
    let detail = "The time for which invoices are kept is over, and nobody can read this one any more.";
    Problem::new(StatusCode::GONE, "invoice-not-kept", detail)
}

/// What a year's key is sealed for.
fn key_purpose(year: u16) -> String {
    format!("invoice-key/{year}")
}

fn year_of(at: Timestamp) -> Option<u16> {
    let year = at.day_in_istanbul().date()?.year();
    u16::try_from(year).ok().filter(|year| (2005..=2099).contains(year))
}

/// The first moment after the year in Istanbul.
fn year_ends_at(year: u16) -> Timestamp {
    let new_year = format!("{}-01-01", u32::from(year) + 1).parse::<Day>();
    new_year.map_or(Timestamp::from_millis(i64::MAX), |day| day.start_in_istanbul())
}

fn never(reason: &str) -> NotIssued {
    NotIssued::Refused(NotTaken { failure: Failure::Lasting, reason: reason.to_owned() })
}

fn later(reason: &str) -> NotIssued {
    NotIssued::Refused(NotTaken { failure: Failure::Passing, reason: reason.to_owned() })
}
