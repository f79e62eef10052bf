//! Every rule holds for what is written, and each has a twin: a document broken in one place, which it alone finds.

use akademi_ubl::{Exemption, to_xml};

use crate::{
    reader::{broken, rule_names},
    samples::{export, invoice, line, refund, sale},
};

fn exempt() -> akademi_ubl::Invoice {
    let mut line = line("Dil kursu", 10_000, 0, 0);
    line.exemption = Some(Exemption::new(302, "11/1-a Hizmet ihracatı").unwrap());
    invoice(vec![line])
}

#[test]
fn what_is_written_breaks_no_rule() {
    for sample in [sale(), refund(), export(), exempt()] {
        let xml = to_xml(&sample).unwrap();
        assert_eq!(broken(&xml), Vec::<&str>::new(), "{xml}");
    }
}

/// The rule, what stands in a document, and what breaks it in its place.
const TWINS: &[(&str, &str, &str)] = &[
    ("namespaces", "xsd:CommonBasicComponents-2", "xsd:CommonBasicComponents-1"),
    ("element order", "<cbc:UBLVersionID>2.1</cbc:UBLVersionID>", ""),
    ("versions", ">TR1.2<", ">TR1.1<"),
    ("profile", ">EARSIVFATURA<", ">EARSIV<"),
    ("number", ">EDU2026000000001<", ">EDu2026000000001<"),
    ("no copy", "<cbc:CopyIndicator>false", "<cbc:CopyIndicator>true"),
    ("uuid", ">01996d1a-7b80", ">01996d1a7b80"),
    ("issue date", "<cbc:IssueDate>2026-09-21", "<cbc:IssueDate>2026-9-21"),
    ("issue time", ">17:13:20<", ">17:13<"),
    ("year of the number", ">EDU2026000000001<", ">EDU2025000000001<"),
    ("type", ">SATIS<", ">EARSIVFATURA<"),
    ("currency", "<cbc:PayableAmount currencyID=\"TRY\"", "<cbc:PayableAmount currencyID=\"USD\""),
    ("line count", "<cbc:LineCountNumeric>2", "<cbc:LineCountNumeric>3"),
    ("party identification", "schemeID=\"TCKN\"", "schemeID=\"VKN\""),
    ("party name", "<cbc:FamilyName>Yılmaz</cbc:FamilyName>", "<cbc:FamilyName></cbc:FamilyName>"),
    ("address", "<cbc:CitySubdivisionName>Üsküdar</cbc:CitySubdivisionName>", ""),
    (
        "tax office",
        "<cac:TaxScheme>\n     <cbc:Name>Kadıköy</cbc:Name>",
        "<cac:TaxScheme>\n     <cbc:Name></cbc:Name>",
    ),
    ("two decimals", ">0.00<", ">0<"),
    ("vat code", ">0015<", ">0003<"),
    ("unit", "unitCode=\"C62\"", "unitCode=\"ADET\""),
    ("payment means", "<cbc:PaymentMeansCode>48", "<cbc:PaymentMeansCode>KART"),
    (
        "line arithmetic",
        "<cbc:PriceAmount currencyID=\"TRY\">100.00",
        "<cbc:PriceAmount currencyID=\"TRY\">100.01",
    ),
    (
        "line sum",
        "<cac:LegalMonetaryTotal>\n  <cbc:LineExtensionAmount currencyID=\"TRY\">474.92",
        "<cac:LegalMonetaryTotal>\n  <cbc:LineExtensionAmount currencyID=\"TRY\">474.93",
    ),
    (
        "tax exclusive",
        "<cbc:TaxExclusiveAmount currencyID=\"TRY\">474.92",
        "<cbc:TaxExclusiveAmount currencyID=\"TRY\">474.91",
    ),
    (
        "tax inclusive",
        "<cbc:TaxInclusiveAmount currencyID=\"TRY\">559.91",
        "<cbc:TaxInclusiveAmount currencyID=\"TRY\">559.90",
    ),
    (
        "payable",
        "<cbc:PayableAmount currencyID=\"TRY\">559.91",
        "<cbc:PayableAmount currencyID=\"TRY\">559.90",
    ),
    (
        "tax total",
        "<cac:TaxTotal>\n  <cbc:TaxAmount currencyID=\"TRY\">84.99",
        "<cac:TaxTotal>\n  <cbc:TaxAmount currencyID=\"TRY\">85.00",
    ),
    (
        "tax of lines",
        "<cac:TaxTotal>\n  <cbc:TaxAmount currencyID=\"TRY\">84.99",
        "<cac:TaxTotal>\n  <cbc:TaxAmount currencyID=\"TRY\">84.98",
    ),
    ("tax by rate", "<cbc:Percent>10</cbc:Percent>", "<cbc:Percent>11</cbc:Percent>"),
    ("rate", "<cbc:Percent>20</cbc:Percent>", "<cbc:Percent>10</cbc:Percent>"),
    (
        "signature",
        "<cac:AccountingSupplierParty>",
        "<cac:Signature><cbc:ID/></cac:Signature><cac:Signature><cbc:ID/></cac:Signature><cac:AccountingSupplierParty>",
    ),
];

#[test]
fn each_rule_finds_its_broken_twin() {
    let xml = to_xml(&sale()).unwrap();
    for (rule, right, wrong) in TWINS {
        assert!(xml.contains(right), "{rule}: {right} is not in {xml}");
        let twin = match *rule {
            // A child before the one that it follows.
            "element order" => {
                xml.replacen(right, "", 1).replacen("<cbc:ProfileID>", &format!("{right}<cbc:ProfileID>"), 1)
            }
            "rate" => xml.replace(right, wrong),
            _ => xml.replacen(right, wrong, 1),
        };
        assert!(broken(&twin).contains(rule), "{rule}: {:?}", broken(&twin));
    }
}

#[test]
fn the_rules_of_returns_exemptions_and_currencies_find_their_broken_twins() {
    let (returned, exported, exempted) =
        (to_xml(&refund()).unwrap(), to_xml(&export()).unwrap(), to_xml(&exempt()).unwrap());
    let cut = |xml: &str, from: &str, to: &str| {
        let (start, end) = (xml.find(from).unwrap(), xml.find(to).unwrap() + to.len());
        format!("{}{}", &xml[..start], &xml[end..])
    };
    for (rule, twin) in [
        ("return", cut(&returned, "<cac:BillingReference>", "</cac:BillingReference>")),
        ("return", returned.replace(">EARSIVFATURA<", ">TICARIFATURA<")),
        ("return", returned.replace(">IADE</cbc:Inv", ">SATIS</cbc:Inv")),
        ("exchange rate", cut(&exported, "<cac:PricingExchangeRate>", "</cac:PricingExchangeRate>")),
        ("exchange rate", exported.replace(">49.1234<", ">0.0000<")),
        ("exemption reason", exempted.replace(">11/1-a Hizmet ihracatı<", "><")),
        ("exemption reason", exempted.replace(">ISTISNA<", ">SATIS<")),
        ("exemption reason", exempted.replace(">302<", ">351<")),
    ] {
        assert_eq!(broken(&twin), [rule], "{twin}");
    }
}

#[test]
fn no_rule_is_without_a_twin() {
    let elsewhere = ["return", "exchange rate", "exemption reason"];
    for rule in rule_names() {
        let has_twin = elsewhere.contains(&rule) || TWINS.iter().any(|(name, _, _)| *name == rule);
        assert!(has_twin, "{rule}");
    }
}
