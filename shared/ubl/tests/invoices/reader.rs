//! A reader that shares nothing with the writer: it takes a document apart and says which rules it breaks.

use roxmltree::{Document, Node};

const ROOT: &str = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2";
const CAC: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";
const CBC: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";

/// The schema's sequences: an element, and its children in order.
const ORDER: &[(&str, &str)] = &[
    (
        "Invoice",
        "UBLExtensions UBLVersionID CustomizationID ProfileID ID CopyIndicator UUID IssueDate IssueTime InvoiceTypeCode \
         Note DocumentCurrencyCode TaxCurrencyCode PricingCurrencyCode PaymentCurrencyCode \
         PaymentAlternativeCurrencyCode AccountingCost LineCountNumeric InvoicePeriod OrderReference BillingReference \
         DespatchDocumentReference ReceiptDocumentReference OriginatorDocumentReference ContractDocumentReference \
         AdditionalDocumentReference Signature AccountingSupplierParty AccountingCustomerParty BuyerCustomerParty \
         SellerSupplierParty TaxRepresentativeParty Delivery PaymentMeans PaymentTerms AllowanceCharge TaxExchangeRate \
         PricingExchangeRate PaymentExchangeRate PaymentAlternativeExchangeRate TaxTotal WithholdingTaxTotal \
         LegalMonetaryTotal InvoiceLine",
    ),
    (
        "Party",
        "WebsiteURI EndpointID IndustryClassificationCode PartyIdentification PartyName PostalAddress PhysicalLocation \
         PartyTaxScheme PartyLegalEntity Contact Person AgentParty",
    ),
    (
        "PostalAddress",
        "ID Postbox Room StreetName BlockName BuildingName BuildingNumber CitySubdivisionName CityName PostalZone Region \
         District Country",
    ),
    (
        "TaxSubtotal",
        "TaxableAmount TaxAmount CalculationSequenceNumeric TransactionCurrencyTaxAmount Percent BaseUnitMeasure \
         PerUnitAmount TaxCategory",
    ),
    ("TaxCategory", "TaxExemptionReasonCode TaxExemptionReason TaxScheme"),
    ("TaxTotal", "TaxAmount TaxSubtotal"),
    (
        "LegalMonetaryTotal",
        "LineExtensionAmount TaxExclusiveAmount TaxInclusiveAmount AllowanceTotalAmount ChargeTotalAmount \
         PayableRoundingAmount PayableAmount",
    ),
    (
        "InvoiceLine",
        "ID Note InvoicedQuantity LineExtensionAmount OrderLineReference DespatchLineReference ReceiptLineReference \
         Delivery AllowanceCharge TaxTotal WithholdingTaxTotal Item Price SubInvoiceLine",
    ),
    (
        "AllowanceCharge",
        "ChargeIndicator AllowanceChargeReason MultiplierFactorNumeric SequenceNumeric Amount BaseAmount",
    ),
    ("PricingExchangeRate", "SourceCurrencyCode TargetCurrencyCode CalculationRate Date"),
];

/// Says of a document whether it keeps a rule.
type Rule = fn(&Node<'_, '_>) -> bool;

const RULES: &[(&str, Rule)] = &[
    ("namespaces", namespaces),
    ("element order", element_order),
    ("versions", |root| text(root, "UBLVersionID") == "2.1" && text(root, "CustomizationID") == "TR1.2"),
    ("profile", |root| ["TEMELFATURA", "TICARIFATURA", "EARSIVFATURA"].contains(&text(root, "ProfileID"))),
    ("number", number),
    ("no copy", |root| text(root, "CopyIndicator") == "false"),
    ("uuid", |root| is_uuid(text(root, "UUID"))),
    ("issue date", |root| is_date(text(root, "IssueDate")) && text(root, "IssueDate") >= "2005-01-01"),
    ("issue time", |root| is_pattern(text(root, "IssueTime"), "00:00:00")),
    ("year of the number", |root| text(root, "ID").get(3..7) == text(root, "IssueDate").get(..4)),
    ("type", |root| ["SATIS", "IADE", "ISTISNA"].contains(&text(root, "InvoiceTypeCode"))),
    ("currency", currency),
    ("exchange rate", exchange_rate),
    ("line count", |root| {
        let ids: Vec<_> = children(root, "InvoiceLine").map(|line| text(&line, "ID").to_owned()).collect();
        let counted: Vec<_> = (1..=ids.len()).map(|place| place.to_string()).collect();
        ids == counted && !ids.is_empty() && text(root, "LineCountNumeric") == ids.len().to_string()
    }),
    ("party identification", |root| parties(root).iter().all(is_identified)),
    ("party name", |root| parties(root).iter().all(is_named)),
    ("address", |root| parties(root).iter().all(has_address)),
    ("tax office", |root| !text(&parties(root)[0], "PartyTaxScheme/TaxScheme/Name").is_empty()),
    ("two decimals", |root| amounts(root).all(|amount| minor(&amount).is_some())),
    ("vat code", |root| {
        let codes = named(root, "TaxTypeCode");
        let mut schemes = codes.filter_map(|code| code.parent());
        schemes.all(|scheme| text(&scheme, "TaxTypeCode") == "0015" && text(&scheme, "Name") == "KDV")
    }),
    ("exemption reason", exemption_reason),
    ("unit", |root| {
        named(root, "InvoicedQuantity").all(|quantity| quantity.attribute("unitCode") == Some("C62"))
    }),
    ("payment means", |root| named(root, "PaymentMeansCode").all(|code| code.text() == Some("48"))),
    ("return", returns),
    ("line arithmetic", line_arithmetic),
    ("line sum", |root| {
        sum(children(root, "InvoiceLine").map(|line| value(&line, "LineExtensionAmount")))
            == total(root, "LineExtensionAmount")
    }),
    ("tax exclusive", |root| {
        total(root, "LineExtensionAmount") - total(root, "AllowanceTotalAmount")
            == total(root, "TaxExclusiveAmount")
    }),
    ("tax inclusive", |root| {
        total(root, "TaxExclusiveAmount") + value(root, "TaxTotal/TaxAmount")
            == total(root, "TaxInclusiveAmount")
    }),
    ("payable", |root| {
        total(root, "TaxInclusiveAmount") == total(root, "PayableAmount") && total(root, "PayableAmount") > 0
    }),
    ("tax total", |root| {
        named(root, "TaxTotal").all(|tax| {
            sum(children(&tax, "TaxSubtotal").map(|part| value(&part, "TaxAmount")))
                == value(&tax, "TaxAmount")
        })
    }),
    ("tax of lines", |root| {
        let of_lines = sum(children(root, "InvoiceLine").map(|line| value(&line, "TaxTotal/TaxAmount")));
        of_lines == value(root, "TaxTotal/TaxAmount")
    }),
    ("tax by rate", tax_by_rate),
    ("rate", rate),
    ("signature", |root| children(root, "Signature").count() <= 1),
];

/// The names of the rules that the document breaks.
pub fn broken(xml: &str) -> Vec<&'static str> {
    let document = Document::parse(xml).unwrap();
    let root = document.root_element();
    RULES.iter().filter(|(_, keeps)| !keeps(&root)).map(|(name, _)| *name).collect()
}

pub fn rule_names() -> Vec<&'static str> {
    RULES.iter().map(|(name, _)| *name).collect()
}

/// The text at a path of element names below the document's root; panics where there is none.
pub fn read(xml: &str, path: &str) -> String {
    let document = Document::parse(xml).unwrap();
    find(&document.root_element(), path).unwrap().text().unwrap_or_default().to_owned()
}

/// Name, net amount and VAT of each line.
pub fn read_lines(xml: &str) -> Vec<(String, i64, i64)> {
    let document = Document::parse(xml).unwrap();
    children(&document.root_element(), "InvoiceLine")
        .map(|line| {
            let name = text(&line, "Item/Name").to_owned();
            (name, value(&line, "LineExtensionAmount"), value(&line, "TaxTotal/TaxAmount"))
        })
        .collect()
}

/// What the line of this place (from 0) says at a path.
pub fn read_line(xml: &str, place: usize, path: &str) -> Option<String> {
    let document = Document::parse(xml).unwrap();
    let line = children(&document.root_element(), "InvoiceLine").nth(place).unwrap();
    Some(find(&line, path)?.text().unwrap_or_default().to_owned())
}

fn children<'a, 'd: 'a>(node: &Node<'a, 'd>, name: &str) -> impl Iterator<Item = Node<'a, 'd>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

fn named<'a, 'd: 'a>(node: &Node<'a, 'd>, name: &str) -> impl Iterator<Item = Node<'a, 'd>> {
    node.descendants().filter(move |node| node.tag_name().name() == name)
}

fn find<'a, 'd: 'a>(node: &Node<'a, 'd>, path: &str) -> Option<Node<'a, 'd>> {
    path.split('/').try_fold(*node, |node, name| children(&node, name).next())
}

fn text<'a, 'd: 'a>(node: &Node<'a, 'd>, path: &str) -> &'a str {
    find(node, path).and_then(|node| node.text()).unwrap_or_default()
}

/// Whether digits stand where the pattern has them, and the pattern's own characters elsewhere.
fn is_pattern(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            b'x' => byte.is_ascii_hexdigit(),
            other => byte == other,
        })
}

fn is_date(text: &str) -> bool {
    is_pattern(text, "0000-00-00")
}

fn is_uuid(text: &str) -> bool {
    is_pattern(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
}

fn namespaces(root: &Node<'_, '_>) -> bool {
    let right = |node: Node<'_, '_>| {
        let has_elements = node.children().any(|child| child.is_element());
        let namespace = if has_elements { CAC } else { CBC };
        node == *root || node.tag_name().namespace() == Some(namespace)
    };
    root.tag_name().namespace() == Some(ROOT) && root.descendants().filter(Node::is_element).all(right)
}

fn element_order(root: &Node<'_, '_>) -> bool {
    root.descendants().filter(Node::is_element).all(|node| {
        let Some((_, order)) = ORDER.iter().find(|(name, _)| *name == node.tag_name().name()) else {
            return true;
        };
        let places: Vec<_> = node
            .children()
            .filter(Node::is_element)
            .map(|child| order.split_whitespace().position(|name| name == child.tag_name().name()))
            .collect();
        places.iter().all(Option::is_some) && places.is_sorted()
    })
}

fn number(root: &Node<'_, '_>) -> bool {
    let number = text(root, "ID");
    let (series, rest) = number.split_at_checked(3).unwrap_or_default();
    series.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && is_pattern(rest, "0000000000000")
        && rest.starts_with("20")
        && !rest.ends_with("000000000")
}

fn amounts<'a, 'd: 'a>(root: &Node<'a, 'd>) -> impl Iterator<Item = Node<'a, 'd>> {
    root.descendants().filter(|node| node.tag_name().name().ends_with("Amount"))
}

fn currency(root: &Node<'_, '_>) -> bool {
    let code = text(root, "DocumentCurrencyCode");
    code.len() == 3 && amounts(root).all(|amount| amount.attribute("currencyID") == Some(code))
}

fn exchange_rate(root: &Node<'_, '_>) -> bool {
    let code = text(root, "DocumentCurrencyCode");
    match find(root, "PricingExchangeRate") {
        None => code == "TRY",
        Some(rate) => {
            code != "TRY"
                && text(&rate, "SourceCurrencyCode") == code
                && text(&rate, "TargetCurrencyCode") == "TRY"
                && text(&rate, "CalculationRate").parse().is_ok_and(|rate: f64| rate > 0.0)
                && is_date(text(&rate, "Date"))
        }
    }
}

/// The seller, then the buyer.
fn parties<'a, 'd: 'a>(root: &Node<'a, 'd>) -> Vec<Node<'a, 'd>> {
    let paths = ["AccountingSupplierParty/Party", "AccountingCustomerParty/Party"];
    paths.iter().map(|path| find(root, path).unwrap()).collect()
}

fn is_identified(party: &Node<'_, '_>) -> bool {
    let ids: Vec<_> = children(party, "PartyIdentification").map(|id| find(&id, "ID").unwrap()).collect();
    let [id] = ids.as_slice() else { return false };
    let digits = id.text().unwrap_or_default();
    let length = match id.attribute("schemeID") {
        Some("VKN") => 10,
        Some("TCKN") => 11,
        _ => 0,
    };
    digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_named(party: &Node<'_, '_>) -> bool {
    let id = find(party, "PartyIdentification/ID").unwrap();
    let names: &[&str] = match id.attribute("schemeID") {
        Some("VKN") => &["PartyName/Name"],
        _ => &["Person/FirstName", "Person/FamilyName"],
    };
    names.iter().all(|path| !text(party, path).is_empty())
}

fn has_address(party: &Node<'_, '_>) -> bool {
    let parts = ["CitySubdivisionName", "CityName", "Country/Name"];
    parts.iter().all(|part| !text(party, &format!("PostalAddress/{part}")).is_empty())
}

fn minor(amount: &Node<'_, '_>) -> Option<i64> {
    let (whole, decimals) = amount.text()?.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() != 2 {
        return None;
    }
    Some(whole.parse::<i64>().ok()? * 100 + decimals.parse::<i64>().ok()?)
}

/// The amount at a path in minor units; far from any other where there is none.
fn value(node: &Node<'_, '_>, path: &str) -> i64 {
    find(node, path).and_then(|amount| minor(&amount)).unwrap_or(i64::MIN / 1000)
}

fn total(root: &Node<'_, '_>, name: &str) -> i64 {
    value(root, &format!("LegalMonetaryTotal/{name}"))
}

fn sum(values: impl Iterator<Item = i64>) -> i64 {
    values.sum()
}

fn exemption_reason(root: &Node<'_, '_>) -> bool {
    let kind = text(root, "InvoiceTypeCode");
    let mut codes = Vec::new();
    let explained = named(root, "TaxSubtotal").all(|part| {
        let code = text(&part, "TaxCategory/TaxExemptionReasonCode");
        let has_both = !code.is_empty() && !text(&part, "TaxCategory/TaxExemptionReason").is_empty();
        codes.extend(code.parse::<u16>());
        has_both || kind == "IADE" || value(&part, "TaxAmount") != 0
    });
    let statutory = |code: &u16| matches!(code, 201..=250 | 301..=350);
    match kind {
        "SATIS" => explained && codes.iter().all(|code| *code == 351),
        "ISTISNA" => explained && codes.iter().any(statutory),
        _ => explained,
    }
}

fn returns(root: &Node<'_, '_>) -> bool {
    let original = find(root, "BillingReference/InvoiceDocumentReference");
    match (text(root, "InvoiceTypeCode") == "IADE", original) {
        (false, original) => original.is_none(),
        (true, None) => false,
        (true, Some(original)) => {
            text(&original, "ID").len() == 16
                && is_date(text(&original, "IssueDate"))
                && text(&original, "DocumentTypeCode") == "IADE"
                && text(root, "ProfileID") != "TICARIFATURA"
        }
    }
}

/// quantity · price − allowances = the line's amount.
fn line_arithmetic(root: &Node<'_, '_>) -> bool {
    children(root, "InvoiceLine").all(|line| {
        let quantity: i64 = text(&line, "InvoicedQuantity").parse().unwrap();
        let price = value(&line, "Price/PriceAmount");
        let allowances = sum(children(&line, "AllowanceCharge").map(|allowance| value(&allowance, "Amount")));
        let based = children(&line, "AllowanceCharge").all(|allowance| {
            text(&allowance, "ChargeIndicator") == "false" && value(&allowance, "BaseAmount") == price
        });
        based && quantity * price - allowances == value(&line, "LineExtensionAmount")
    })
}

/// The lines' subtotals, summed by rate, are the document's.
fn tax_by_rate(root: &Node<'_, '_>) -> bool {
    let lines = children(root, "InvoiceLine").filter_map(|line| find(&line, "TaxTotal/TaxSubtotal"));
    let total = find(root, "TaxTotal").unwrap();
    let of_document = children(&total, "TaxSubtotal");
    let by_rate = |parts: &mut dyn Iterator<Item = Node<'_, '_>>| {
        let mut sums = std::collections::BTreeMap::new();
        let mut parts_of = 0;
        for part in parts {
            let key = (
                text(&part, "Percent").to_owned(),
                text(&part, "TaxCategory/TaxExemptionReasonCode").to_owned(),
            );
            let (taxable, tax) = sums.entry(key).or_insert((0, 0));
            *taxable += value(&part, "TaxableAmount");
            *tax += value(&part, "TaxAmount");
            parts_of += 1;
        }
        (sums, parts_of)
    };
    let (of_lines, _) = by_rate(&mut lines.collect::<Vec<_>>().into_iter());
    let (of_document, parts) = by_rate(&mut of_document.collect::<Vec<_>>().into_iter());
    of_lines == of_document && of_document.len() == parts
}

/// Tax is rate · taxable amount on every line, within half a unit of the gross amount for rounding and one for how it was
/// booked.
fn rate(root: &Node<'_, '_>) -> bool {
    children(root, "InvoiceLine").all(|line| {
        let part = find(&line, "TaxTotal/TaxSubtotal").unwrap();
        let percent: f64 = text(&part, "Percent").parse().unwrap();
        let tax = value(&part, "TaxableAmount") as f64 * percent / 100.0;
        (tax - value(&part, "TaxAmount") as f64).abs() <= 1.5 * (1.0 + percent / 100.0) + 0.01
            && value(&part, "TaxableAmount") == value(&line, "LineExtensionAmount")
    })
}
