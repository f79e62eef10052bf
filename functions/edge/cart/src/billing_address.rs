//! Whom and where bills go, as Turkish invoices and payment providers take it.

use akademi_api::Problem;
use akademi_domain::{
    tax_number::{Tckn, Vkn},
    text,
};
use serde::{Deserialize, Serialize};

const MAX_NAME: usize = 200;
/// So that all of it in one line is no longer than an order takes.
const MAX_PLACE: usize = 60;
const MAX_LINE: usize = 80;
const LINES: std::ops::RangeInclusive<usize> = 1..=3;
const MAX_POSTAL_CODE: usize = 12;
const TURKEY: &str = "TR";

/// ISO 3166-1 alpha-2, all that are assigned.
const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD \
    CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF \
    GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN \
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI \
    SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI \
    VN VU WF WS YE YT ZA ZM ZW";

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BilledKind {
    Individual,
    Company,
}

/// An address as its owner wrote it. Personal data: it is stored sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BillingAddress {
    kind: BilledKind,
    /// A company's title, or first names and family name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Vergi dairesi; a company has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 60)]
    tax_office: Option<String>,
    /// A company's VKN, or a person's TCKN, which may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^([0-9]{10}|[0-9]{11})$")]
    tax_number: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$", example = "TR")]
    country: String,
    /// İl.
    #[schema(min_length = 1, max_length = 60)]
    city: String,
    /// İlçe; an address in Türkiye has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 60)]
    district: Option<String>,
    /// Street, building, door: each of at most 80 characters.
    #[schema(min_items = 1, max_items = 3)]
    lines: Vec<String>,
    /// In Türkiye five digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 12)]
    postal_code: Option<String>,
    /// E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^\+[1-9][0-9]{6,14}$", example = "+905321112233")]
    phone: Option<String>,
    /// Whether bills go there from now on. Somebody's first one is that whatever it says.
    #[serde(default, skip_serializing)]
    pub is_default: bool,
}

/// What `POST /api/v1/orders` takes as its `buyer`.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OrderBuyer {
    phone: String,
    /// In one line.
    address: String,
}

/// What `PUT /api/v1/orders/{order_id}/invoice-details` takes.
#[derive(Serialize, utoipa::ToSchema)]
pub struct InvoicedTo {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_office: Option<String>,
    street: String,
    district: String,
    city: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    country: String,
}

impl BillingAddress {
    /// The address with its texts in their one form.
    ///
    /// # Errors
    /// 422 naming the field.
    pub fn checked(self) -> Result<Self, Problem> {
        let is_turkish = self.country == TURKEY;
        if !COUNTRIES.split(' ').any(|country| country == self.country) {
            return Err(Problem::field("country", "is no country of ISO 3166-1 (two capital letters)"));
        }
        let (tax_number, tax_office) = (self.tax_number.as_deref(), self.tax_office.as_deref());
        match (self.kind, tax_number) {
            (BilledKind::Company, Some(number)) => number.parse::<Vkn>().map(drop),
            (BilledKind::Individual, Some(number)) => number.parse::<Tckn>().map(drop),
            (_, None) => Ok(()),
        }
        .map_err(|error| Problem::field("tax_number", error))?;
        // Wherever it is: an invoice names a company by both, and whoever has no number as a person.
        if self.kind == BilledKind::Company {
            let needed = [("tax_number", tax_number), ("tax_office", tax_office)];
            if let Some((field, _)) = needed.into_iter().find(|(_, value)| value.is_none()) {
                return Err(Problem::field(field, "is missing: an invoice names no company without it"));
            }
        }
        if is_turkish && self.district.is_none() {
            return Err(Problem::field("district", "is missing: an address in Türkiye has one"));
        }
        if !LINES.contains(&self.lines.len()) {
            return Err(Problem::field("lines", "are not 1 to 3"));
        }
        let is_postal_code = |code: &str| code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit());
        if is_turkish && self.postal_code.as_deref().is_some_and(|code| !is_postal_code(code)) {
            return Err(Problem::field("postal_code", "is not of five digits, as in Türkiye"));
        }
        if self.phone.as_deref().is_some_and(|phone| !is_e164(phone)) {
            return Err(Problem::field("phone", "is not a number with its country's code, as +905321112233"));
        }
        let lines = self.lines.iter().enumerate();
        let lines = lines.map(|(index, text)| line(&format!("lines[{index}]"), text, MAX_LINE));
        Ok(Self {
            name: line("name", &self.name, MAX_NAME)?,
            tax_office: optional("tax_office", tax_office, MAX_PLACE)?,
            city: line("city", &self.city, MAX_PLACE)?,
            district: optional("district", self.district.as_deref(), MAX_PLACE)?,
            lines: lines.collect::<Result<_, _>>()?,
            postal_code: optional("postal_code", self.postal_code.as_deref(), MAX_POSTAL_CODE)?,
            ..self
        })
    }

    /// As an order takes it; nothing without a telephone number, which providers ask for.
    pub fn buyer(&self) -> Option<OrderBuyer> {
        let place = [self.postal_code.as_deref(), self.district.as_deref(), Some(&self.city)];
        let place: Vec<&str> = place.into_iter().flatten().collect();
        let address = format!("{}, {}, {}", self.lines.join(", "), place.join(" "), self.country_name());
        Some(OrderBuyer { phone: self.phone.clone()?, address })
    }

    /// As an invoice takes it.
    pub fn invoiced_to(&self) -> InvoicedTo {
        InvoicedTo {
            name: self.name.clone(),
            tax_number: self.tax_number.clone(),
            tax_office: self.tax_office.clone(),
            street: self.lines.join(", "),
            // Elsewhere there may be none, and an invoice names one.
            district: self.district.clone().unwrap_or_else(|| self.city.clone()),
            city: self.city.clone(),
            postal_code: self.postal_code.clone(),
            country: self.country_name().to_owned(),
        }
    }

    /// An invoice names its own country in words.
    fn country_name(&self) -> &str {
        if self.country == TURKEY { "Türkiye" } else { &self.country }
    }
}

fn line(field: &str, text: &str, max: usize) -> Result<String, Problem> {
    text::line(text, max).map_err(|error| Problem::field(field, error))
}

fn optional(field: &str, text: Option<&str>, max: usize) -> Result<Option<String>, Problem> {
    text.map(|text| line(field, text, max)).transpose()
}

/// ITU-T E.164: at most 15 digits, the first of which is not 0.
fn is_e164(phone: &str) -> bool {
    phone.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}
