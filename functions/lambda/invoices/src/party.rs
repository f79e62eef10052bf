//! Who sells and who buys, as people write it.

use akademi_api::Problem;
use akademi_domain::{
    tax_number::{Tckn, Vkn},
    text::line,
};
use akademi_ubl::{Address, Identity, Party};
use serde::{Deserialize, Serialize};

const MAX_TEXT: usize = 250;
/// What stands for a part of an address or a name that a consumer did not give.
const NOT_SAID: &str = "Belirtilmemiş";

/// A company, or a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoicedParty {
    /// A company's title, or a person's first name and family name.
    #[schema(min_length = 1, max_length = 250)]
    pub name: String,
    /// A company's VKN (10 digits) or a person's TCKN (11 digits); a person may leave it out.
    #[serde(default)]
    #[schema(pattern = "^([0-9]{10}|[0-9]{11})$")]
    pub tax_number: Option<String>,
    /// Vergi dairesi; a company has one.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 250)]
    pub tax_office: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 250)]
    pub street: Option<String>,
    /// İlçe.
    #[schema(min_length = 1, max_length = 250)]
    pub district: String,
    /// İl.
    #[schema(min_length = 1, max_length = 250)]
    pub city: String,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 250)]
    pub postal_code: Option<String>,
    #[schema(min_length = 1, max_length = 250, example = "Türkiye")]
    pub country: String,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 250)]
    pub email: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 250)]
    pub website: Option<String>,
}

impl InvoicedParty {
    /// As a document names it.
    ///
    /// # Errors
    /// 422 naming the field below `within`, as in `seller.`.
    pub fn party(&self, within: &str) -> Result<Party, Problem> {
        let text = |field: &str, text: &str| {
            line(text, MAX_TEXT).map_err(|error| Problem::field(format!("{within}{field}"), error))
        };
        let optional = |field, value: &Option<String>| value.as_deref().map(|it| text(field, it)).transpose();
        let name = text("name", &self.name)?;
        let number = |error| Problem::field(format!("{within}tax_number"), error);
        let identity = match self.tax_number.as_deref() {
            Some(digits) if digits.len() == 10 => {
                let number = digits.parse::<Vkn>().map_err(number)?;
                if self.tax_office.is_none() {
                    let missing = "is missing: a company has one";
                    return Err(Problem::field(format!("{within}tax_office"), missing));
                }
                Identity::Company { number, name }
            }
            Some(digits) => person(digits.parse().map_err(number)?, &name),
            None => person(Tckn::CONSUMER, &name),
        };
        Ok(Party {
            identity,
            address: Address {
                street: optional("street", &self.street)?,
                district: text("district", &self.district)?,
                city: text("city", &self.city)?,
                postal_code: optional("postal_code", &self.postal_code)?,
                country: text("country", &self.country)?,
            },
            tax_office: optional("tax_office", &self.tax_office)?,
            email: optional("email", &self.email)?,
            website: optional("website", &self.website)?,
        })
    }
}

/// Somebody of whom no more is known than the account; of an erased one, nothing.
pub fn consumer(name: &str, email: Option<String>) -> Party {
    // "Nihai tüketici", the final consumer, is whom such an invoice is made out to.
    let name = if name.trim().is_empty() { "Nihai Tüketici" } else { name };
    Party {
        identity: person(Tckn::CONSUMER, name),
        address: Address {
            street: None,
            district: NOT_SAID.into(),
            city: NOT_SAID.into(),
            postal_code: None,
            country: "Türkiye".into(),
        },
        tax_office: None,
        email,
        website: None,
    }
}

/// The last word is the family name.
fn person(number: Tckn, name: &str) -> Identity {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let (first_name, family_name) = name.rsplit_once(' ').unwrap_or((&name, NOT_SAID));
    Identity::Person { number, first_name: first_name.into(), family_name: family_name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_name_is_the_family_name() {
        for (name, first, family) in [
            ("Şükrü  Iğdır Çağlayangöl", "Şükrü Iğdır", "Çağlayangöl"),
            ("Ayşe", "Ayşe", NOT_SAID),
            ("  ", "Nihai", "Tüketici"),
        ] {
            let Identity::Person { number, first_name, family_name } = consumer(name, None).identity else {
                panic!("a consumer is a person");
            };
            assert_eq!((number, first_name.as_str(), family_name.as_str()), (Tckn::CONSUMER, first, family));
        }
    }
}
