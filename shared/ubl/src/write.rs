//! An invoice that keeps the rules becomes its document. Elements stand in the order of the schema.

use akademi_domain::{money::Currency, pricing::BasisPoints, time::Timestamp};
use std::io;

use crate::{
    Identity, Invoice, Kind, Line, OriginalInvoice, Party, Profile,
    totals::{Net, Subtotal, Untaxed, subtotals, untaxed},
    xml::Xml,
};

/// UN/ECE recommendation 20: one, piece.
const PIECE: &str = "C62";
/// UN/EDIFACT 4461: bank card.
const BANK_CARD: &str = "48";
/// GİB's code of value added tax.
const VAT: (&str, &str) = ("KDV", "0015");

pub fn write(invoice: &Invoice) -> io::Result<String> {
    Xml::document(invoice.currency, |xml| {
        head(xml, invoice)?;
        references(xml, invoice)?;
        xml.group("cac:AccountingSupplierParty", |xml| party(xml, &invoice.seller))?;
        xml.group("cac:AccountingCustomerParty", |xml| party(xml, &invoice.buyer))?;
        payment(xml, invoice)?;
        exchange_rate(xml, invoice)?;
        taxes(xml, invoice)?;
        sums(xml, invoice)?;
        (1_usize..).zip(&invoice.lines).try_for_each(|(place, line)| self::line(xml, invoice, place, line))
    })
}

fn head(xml: &mut Xml, invoice: &Invoice) -> io::Result<()> {
    xml.text("cbc:UBLVersionID", "2.1")?;
    xml.text("cbc:CustomizationID", "TR1.2")?;
    xml.text("cbc:ProfileID", invoice.profile.name())?;
    xml.text("cbc:ID", &invoice.number.to_string())?;
    xml.text("cbc:CopyIndicator", "false")?;
    xml.text("cbc:UUID", &invoice.uuid.to_string())?;
    xml.text("cbc:IssueDate", &invoice.issued_at.day_in_istanbul().to_string())?;
    xml.text("cbc:IssueTime", &time_in_istanbul(invoice.issued_at))?;
    xml.text("cbc:InvoiceTypeCode", type_code(invoice))?;
    invoice.notes.iter().try_for_each(|note| xml.text("cbc:Note", note))?;
    xml.text("cbc:DocumentCurrencyCode", invoice.currency.code())?;
    xml.text("cbc:LineCountNumeric", &invoice.lines.len().to_string())
}

fn type_code(invoice: &Invoice) -> &'static str {
    match invoice.kind {
        Kind::Return(_) => "IADE",
        Kind::Sale if invoice.lines.iter().any(|line| line.exemption.is_some()) => "ISTISNA",
        Kind::Sale => "SATIS",
    }
}

/// `HH:MM:SS`
fn time_in_istanbul(at: Timestamp) -> String {
    let seconds = at.millis_since(at.day_in_istanbul().start_in_istanbul()) / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn references(xml: &mut Xml, invoice: &Invoice) -> io::Result<()> {
    xml.group("cac:OrderReference", |xml| {
        xml.text("cbc:ID", &invoice.order)?;
        xml.text("cbc:IssueDate", &invoice.ordered_on.to_string())
    })?;
    if let Kind::Return(OriginalInvoice { number, issued_on }) = invoice.kind {
        xml.group("cac:BillingReference", |xml| {
            xml.group("cac:InvoiceDocumentReference", |xml| {
                xml.text("cbc:ID", &number.to_string())?;
                xml.text("cbc:IssueDate", &issued_on.to_string())?;
                xml.text("cbc:DocumentTypeCode", "IADE")
            })
        })?;
    }
    if invoice.profile == Profile::Archive {
        // e-Arşiv: it goes to the buyer as a file, not on paper.
        xml.group("cac:AdditionalDocumentReference", |xml| {
            xml.text("cbc:ID", "gonderimSekli")?;
            xml.text("cbc:IssueDate", &invoice.issued_at.day_in_istanbul().to_string())?;
            xml.text("cbc:DocumentType", "ELEKTRONIK")
        })?;
    }
    Ok(())
}

fn party(xml: &mut Xml, party: &Party) -> io::Result<()> {
    xml.group("cac:Party", |xml| {
        xml.optional("cbc:WebsiteURI", party.website.as_deref())?;
        let (scheme, number) = match &party.identity {
            Identity::Company { number, .. } => ("VKN", number.to_string()),
            Identity::Person { number, .. } => ("TCKN", number.to_string()),
        };
        xml.group("cac:PartyIdentification", |xml| {
            xml.with_attribute("cbc:ID", ("schemeID", scheme), &number)
        })?;
        if let Identity::Company { name, .. } = &party.identity {
            xml.group("cac:PartyName", |xml| xml.text("cbc:Name", name))?;
        }
        xml.group("cac:PostalAddress", |xml| {
            let address = &party.address;
            xml.optional("cbc:StreetName", address.street.as_deref())?;
            xml.text("cbc:CitySubdivisionName", &address.district)?;
            xml.text("cbc:CityName", &address.city)?;
            xml.optional("cbc:PostalZone", address.postal_code.as_deref())?;
            xml.group("cac:Country", |xml| xml.text("cbc:Name", &address.country))
        })?;
        if let Some(office) = &party.tax_office {
            xml.group("cac:PartyTaxScheme", |xml| {
                xml.group("cac:TaxScheme", |xml| xml.text("cbc:Name", office))
            })?;
        }
        if let Some(email) = &party.email {
            xml.group("cac:Contact", |xml| xml.text("cbc:ElectronicMail", email))?;
        }
        if let Identity::Person { first_name, family_name, .. } = &party.identity {
            xml.group("cac:Person", |xml| {
                xml.text("cbc:FirstName", first_name)?;
                xml.text("cbc:FamilyName", family_name)
            })?;
        }
        Ok(())
    })
}

fn payment(xml: &mut Xml, invoice: &Invoice) -> io::Result<()> {
    let Some(payment) = &invoice.payment else { return Ok(()) };
    xml.group("cac:PaymentMeans", |xml| {
        xml.text("cbc:PaymentMeansCode", BANK_CARD)?;
        xml.text("cbc:PaymentDueDate", &payment.paid_on.to_string())?;
        xml.text("cbc:InstructionNote", &payment.agent)
    })
}

fn exchange_rate(xml: &mut Xml, invoice: &Invoice) -> io::Result<()> {
    let Some(rate) = invoice.exchange_rate else { return Ok(()) };
    xml.group("cac:PricingExchangeRate", |xml| {
        xml.text("cbc:SourceCurrencyCode", invoice.currency.code())?;
        xml.text("cbc:TargetCurrencyCode", Currency::TRY.code())?;
        xml.text("cbc:CalculationRate", &rate.rate.to_string())?;
        xml.text("cbc:Date", &rate.on.to_string())
    })
}

fn taxes(xml: &mut Xml, invoice: &Invoice) -> io::Result<()> {
    xml.group("cac:TaxTotal", |xml| {
        xml.amount("cbc:TaxAmount", invoice.vat)?;
        subtotals(invoice)
            .iter()
            .try_for_each(|((rate, untaxed), subtotal)| tax_subtotal(xml, *rate, untaxed.as_ref(), subtotal))
    })
}

fn tax_subtotal(
    xml: &mut Xml,
    rate: BasisPoints,
    untaxed: Option<&Untaxed>,
    subtotal: &Subtotal,
) -> io::Result<()> {
    xml.group("cac:TaxSubtotal", |xml| {
        xml.amount("cbc:TaxableAmount", subtotal.taxable)?;
        xml.amount("cbc:TaxAmount", subtotal.vat)?;
        xml.percent("cbc:Percent", rate)?;
        xml.group("cac:TaxCategory", |xml| {
            if let Some(Untaxed { code, reason }) = untaxed {
                xml.text("cbc:TaxExemptionReasonCode", &code.to_string())?;
                xml.text("cbc:TaxExemptionReason", reason)?;
            }
            xml.group("cac:TaxScheme", |xml| {
                xml.text("cbc:Name", VAT.0)?;
                xml.text("cbc:TaxTypeCode", VAT.1)
            })
        })
    })
}

fn sums(xml: &mut Xml, invoice: &Invoice) -> io::Result<()> {
    let net = invoice.total - invoice.vat;
    xml.group("cac:LegalMonetaryTotal", |xml| {
        xml.amount("cbc:LineExtensionAmount", net)?;
        xml.amount("cbc:TaxExclusiveAmount", net)?;
        xml.amount("cbc:TaxInclusiveAmount", invoice.total)?;
        // Of the whole document; the lines have taken theirs off already.
        xml.amount("cbc:AllowanceTotalAmount", 0)?;
        xml.amount("cbc:PayableAmount", invoice.total)
    })
}

fn line(xml: &mut Xml, invoice: &Invoice, place: usize, line: &Line) -> io::Result<()> {
    let Net { list, allowance, net } = Net::of(line);
    xml.group("cac:InvoiceLine", |xml| {
        xml.text("cbc:ID", &place.to_string())?;
        xml.with_attribute("cbc:InvoicedQuantity", ("unitCode", PIECE), "1")?;
        xml.amount("cbc:LineExtensionAmount", net)?;
        if allowance != 0 {
            xml.group("cac:AllowanceCharge", |xml| {
                xml.text("cbc:ChargeIndicator", "false")?;
                xml.amount("cbc:Amount", allowance)?;
                xml.amount("cbc:BaseAmount", list)
            })?;
        }
        xml.group("cac:TaxTotal", |xml| {
            xml.amount("cbc:TaxAmount", line.vat)?;
            let subtotal = Subtotal { taxable: net, vat: line.vat };
            tax_subtotal(xml, line.vat_rate, untaxed(invoice, line).as_ref(), &subtotal)
        })?;
        xml.group("cac:Item", |xml| xml.text("cbc:Name", &line.name))?;
        xml.group("cac:Price", |xml| xml.amount("cbc:PriceAmount", list))
    })
}
