//! Checkout form, initialize: registers an attempt and yields the payment page's address (docs.iyzico.com: CF initialize).

use akademi_domain::{money::Money, tax_number::Tckn};
use http::Uri;
use serde::{Deserialize, Serialize};

use super::{
    Iyzico,
    amount::to_price,
    answer::{Answer, Text, content, wrong_signature},
};
use crate::provider::{
    BasketLine, BilledTo, Buyer, Checkout, Installments, Language, PaymentRequest, ProviderError,
};

const PATH: &str = "/payment/iyzipos/checkoutform/initialize/auth/ecom";
/// iyzico wants an identity number of every buyer, and a buyer need not name one: what Turkish shops send then. That iyzico
/// takes it is common knowledge, not written in its documents; the sandbox takes any.
const NO_IDENTITY_NUMBER: Tckn = Tckn::CONSUMER;
/// Of buyers who named no country.
const COUNTRY: &str = "Turkey";
/// The numbers of parts that Turkish banks offer.
const PARTS: [u8; 6] = [1, 2, 3, 6, 9, 12];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Initialize<'a> {
    locale: &'static str,
    conversation_id: &'a str,
    /// The sum of the items' prices.
    price: String,
    paid_price: String,
    currency: &'static str,
    basket_id: &'a str,
    payment_group: &'static str,
    callback_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled_installments: Option<Vec<u8>>,
    buyer: BuyerFields,
    billing_address: Address,
    basket_items: Vec<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BuyerFields {
    id: String,
    name: String,
    surname: String,
    identity_number: String,
    email: String,
    gsm_number: String,
    registration_address: String,
    city: String,
    country: String,
    ip: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    contact_name: String,
    city: String,
    country: String,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    zip_code: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    name: String,
    category1: &'static str,
    item_type: &'static str,
    price: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialized {
    #[serde(default)]
    conversation_id: Text,
    token: String,
    payment_page_url: String,
    #[serde(default)]
    signature: String,
}

pub(super) async fn begin(iyzico: &Iyzico, payment: &PaymentRequest) -> Result<Checkout, ProviderError> {
    let begun: Initialized = match iyzico.post(PATH, &request(iyzico, payment)?).await? {
        Answer::Success(value) => content(value)?,
        Answer::Failure(refused) => return Err(refused.into_error()),
    };
    let conversation = &begun.conversation_id.0;
    if !iyzico.signer.signs_answer(&[conversation, &begun.token], &begun.signature)
        || conversation != payment.attempt.as_str()
    {
        return Err(wrong_signature());
    }
    let page = begun.payment_page_url.parse::<Uri>().ok().filter(|page| page.authority().is_some());
    let page =
        page.ok_or_else(|| ProviderError::OutcomeUnknown("the page's address is malformed".to_owned()))?;
    Ok(Checkout { page, provider_reference: Some(begun.token) })
}

pub(super) fn request<'a>(
    iyzico: &Iyzico,
    payment: &'a PaymentRequest,
) -> Result<Initialize<'a>, ProviderError> {
    if payment.amount.amount <= 0 {
        return Err(invalid("amount", "must be more than 0"));
    }
    let Buyer { id, email, name, address, phone, client_address, identity_number, billed_to } =
        &payment.buyer;
    let name = required("name", name)?;
    // One word serves as both: iyzico takes neither empty.
    let (first, last) = name.rsplit_once(char::is_whitespace).unwrap_or((&name, &name));
    let address = required("address", address)?;
    let billing_address = billed_to.as_ref().map_or_else(
        || Address {
            contact_name: name.clone(),
            city: iyzico.buyer_city.clone(),
            country: COUNTRY.to_owned(),
            address: address.clone(),
            zip_code: None,
        },
        Address::of,
    );
    Ok(Initialize {
        locale: match payment.language {
            Language::Turkish => "tr",
            Language::English => "en",
        },
        conversation_id: payment.attempt.as_str(),
        price: to_price(payment.amount.amount),
        paid_price: to_price(payment.amount.amount),
        currency: payment.amount.currency.code(),
        basket_id: payment.attempt.as_str(),
        payment_group: "PRODUCT",
        callback_url: payment.return_url.to_string(),
        enabled_installments: installments(payment.installments)?,
        buyer: BuyerFields {
            id: id.to_string(),
            name: first.trim_end().to_owned(),
            surname: last.to_owned(),
            identity_number: identity_number.unwrap_or(NO_IDENTITY_NUMBER).to_string(),
            email: required("email", email)?,
            gsm_number: required("phone", phone)?,
            registration_address: address,
            city: billing_address.city.clone(),
            country: billing_address.country.clone(),
            ip: client_address.to_canonical().to_string(),
        },
        billing_address,
        basket_items: items(&payment.basket, payment.amount)?,
    })
}

impl Address {
    fn of(billed: &BilledTo) -> Self {
        Self {
            contact_name: billed.name.clone(),
            city: billed.city.clone(),
            country: billed.country.clone(),
            address: billed.address.clone(),
            zip_code: billed.postal_code.clone(),
        }
    }
}

fn invalid(field: &'static str, reason: &'static str) -> ProviderError {
    ProviderError::Invalid { field, reason }
}

fn required(field: &'static str, text: &str) -> Result<String, ProviderError> {
    match text.trim() {
        "" => Err(invalid(field, "is required")),
        text => Ok(text.to_owned()),
    }
}

/// The lines that cost something, since iyzico takes no other; their prices sum to what is asked (error 5062).
fn items(lines: &[BasketLine], asked: Money) -> Result<Vec<Item>, ProviderError> {
    let mut sum = 0_i64;
    let mut items = Vec::new();
    for (number, line) in (1..).zip(lines) {
        let total = line.unit_price.checked_mul(line.quantity.into());
        let total = total.filter(|total| *total >= 0 && !line.name.trim().is_empty());
        let total = total.ok_or(invalid("basket", "has a line without a name, a price or a quantity"))?;
        sum = sum.checked_add(total).ok_or(invalid("basket", "is too large"))?;
        if total > 0 {
            items.push(Item {
                id: number.to_string(),
                name: line.name.trim().to_owned(),
                category1: "Eğitim",
                item_type: "VIRTUAL",
                price: to_price(total),
            });
        }
    }
    if sum == asked.amount { Ok(items) } else { Err(invalid("basket", "does not sum to the amount")) }
}

/// `enabledInstallments`; absent is whatever the contract allows.
fn installments(allowed: Installments) -> Result<Option<Vec<u8>>, ProviderError> {
    match allowed {
        Installments::Single => Ok(Some(vec![1])),
        Installments::UpTo(most @ 2..=12) => {
            Ok(Some(PARTS.into_iter().filter(|parts| *parts <= most).collect()))
        }
        Installments::UpTo(_) => Err(invalid("installments", "must be from 2 to 12")),
        Installments::Any => Ok(None),
    }
}
