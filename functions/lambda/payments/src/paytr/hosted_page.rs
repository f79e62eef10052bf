//! get-token: registers an attempt and yields the payment page's address (dev.paytr.com, iFrame API step 1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use akademi_domain::money::Currency;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Uri;

use super::{Form, PayTr, amount::to_major};
use crate::provider::{
    BasketLine, Buyer, Checkout, Installments, Language, PaymentRequest, ProviderError, Refusal,
};

#[derive(serde::Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Answer {
    Success {
        token: String,
    },
    Failed {
        #[serde(default)]
        reason: String,
    },
}

pub(super) async fn begin(paytr: &PayTr, payment: &PaymentRequest) -> Result<Checkout, ProviderError> {
    let form = form(paytr, payment)?;
    match paytr.post("/odeme/api/get-token", &form).await? {
        Answer::Success { token } => {
            // The token becomes a part of an address, so nothing but a plain word is taken for one.
            let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
            plain
                .then(|| format!("{}/odeme/guvenli/{token}", paytr.base_url).parse::<Uri>().ok())
                .flatten()
                .map(|page| Checkout { page, provider_reference: None })
                .ok_or_else(|| ProviderError::OutcomeUnknown("the token is malformed".to_owned()))
        }
        Answer::Failed { reason } => Err(ProviderError::Refused {
            reason: Refusal::Other,
            code: "get-token".to_owned(),
            message: reason,
        }),
    }
}

pub(super) fn form(paytr: &PayTr, payment: &PaymentRequest) -> Result<Form, ProviderError> {
    if payment.amount.amount <= 0 {
        return Err(invalid("amount", "must be more than 0"));
    }
    let user_ip = buyer_address(payment.buyer.client_address, paytr.private_buyer_address)?.to_string();
    let oid = payment.attempt.to_string();
    let email = required("email", &payment.buyer.email, 100)?;
    let amount = payment.amount.amount.to_string();
    let basket = basket(&payment.basket)?;
    let (no_installment, max_installment) = installments(payment.installments)?;
    let currency = currency_code(payment.amount.currency).to_owned();
    let test_mode = if paytr.test_mode { "1" } else { "0" }.to_owned();
    // test_mode is signed although the documents call it optional, so it is always sent.
    let token = paytr.signer.request_token(&[
        &paytr.merchant_id,
        &user_ip,
        &oid,
        &email,
        &amount,
        &basket,
        &no_installment,
        &max_installment,
        &currency,
        &test_mode,
    ]);
    let Buyer { name, address, phone, .. } = &payment.buyer;
    Ok(vec![
        ("merchant_id", paytr.merchant_id.clone()),
        ("user_ip", user_ip),
        ("merchant_oid", oid),
        ("email", email),
        ("payment_amount", amount),
        ("currency", currency),
        ("user_basket", basket),
        ("no_installment", no_installment),
        ("max_installment", max_installment),
        ("paytr_token", token),
        ("user_name", shortened("name", name, 60)?),
        ("user_address", shortened("address", address, 400)?),
        ("user_phone", required("phone", phone, 20)?),
        ("merchant_ok_url", required("success_url", &payment.success_url.to_string(), 400)?),
        ("merchant_fail_url", required("failure_url", &payment.failure_url.to_string(), 400)?),
        ("debug_on", test_mode.clone()),
        ("test_mode", test_mode),
        ("timeout_limit", paytr.page_minutes.to_string()),
        (
            "lang",
            match payment.language {
                Language::Turkish => "tr",
                Language::English => "en",
            }
            .to_owned(),
        ),
    ])
}

fn invalid(field: &'static str, reason: &'static str) -> ProviderError {
    ProviderError::Invalid { field, reason }
}

fn required(field: &'static str, text: &str, limit: usize) -> Result<String, ProviderError> {
    match text.trim() {
        "" => Err(invalid(field, "is required")),
        text if text.chars().count() > limit => Err(invalid(field, "is too long for PayTR")),
        text => Ok(text.to_owned()),
    }
}

/// Names and addresses only inform PayTR's staff, so a long one is cut rather than refused.
fn shortened(field: &'static str, text: &str, limit: usize) -> Result<String, ProviderError> {
    let text: String = text.trim().chars().take(limit).collect();
    required(field, &text, limit)
}

/// The basket as PayTR takes it: Base64 of `[[name, "unit price in lira", quantity], …]`.
fn basket(lines: &[BasketLine]) -> Result<String, ProviderError> {
    if lines.is_empty() {
        return Err(invalid("basket", "is required"));
    }
    if lines.iter().any(|line| line.unit_price < 0 || line.quantity == 0 || line.name.trim().is_empty()) {
        return Err(invalid("basket", "has a line without a name, a price or a quantity"));
    }
    let rows: Vec<_> =
        lines.iter().map(|line| (line.name.as_str(), to_major(line.unit_price), line.quantity)).collect();
    let json = serde_json::to_vec(&rows).map_err(|_| invalid("basket", "cannot be written as JSON"))?;
    Ok(STANDARD.encode(json))
}

/// `no_installment` and `max_installment`.
fn installments(allowed: Installments) -> Result<(String, String), ProviderError> {
    let (no, max) = match allowed {
        Installments::Single => ("1", 0),
        Installments::UpTo(max @ 2..=12) => ("0", max),
        Installments::UpTo(_) => return Err(invalid("installments", "must be from 2 to 12")),
        Installments::Any => ("0", 0),
    };
    Ok((no.to_owned(), max.to_string()))
}

pub(super) fn currency_code(currency: Currency) -> &'static str {
    match currency {
        Currency::TRY => "TL",
        Currency::EUR | Currency::USD => currency.code(),
    }
}

pub(super) fn currency_of(code: &str) -> Option<Currency> {
    match code {
        "TL" | "TRY" => Some(Currency::TRY),
        "EUR" => Some(Currency::EUR),
        "USD" => Some(Currency::USD),
        _ => None,
    }
}

/// The address to send as `user_ip`, which is at most 39 characters and must be public.
fn buyer_address(client: IpAddr, stand_in: Option<IpAddr>) -> Result<IpAddr, ProviderError> {
    // An IPv4 client of an IPv6 socket appears as ::ffff:a.b.c.d, which is too long for PayTR and no IPv6.
    let client = client.to_canonical();
    if is_public(client) {
        return Ok(client);
    }
    stand_in.ok_or(invalid("client_address", "is not a public address, which PayTR requires"))
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4_is_local(v4),
        IpAddr::V6(v6) => !v6_is_local(v6),
    }
}

fn v4_is_local(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let shared_by_carriers = first == 100 && (64..128).contains(&second); // RFC 6598
    address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || shared_by_carriers
}

fn v6_is_local(address: Ipv6Addr) -> bool {
    address.is_unspecified()
        || address.is_loopback()
        || address.is_unique_local()
        || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basket_is_base64_json_in_lira() {
        let line = BasketLine { name: "Rust Kursu".to_owned(), unit_price: 14990, quantity: 1 };
        assert_eq!(basket(&[line]).unwrap(), "W1siUnVzdCBLdXJzdSIsIjE0OS45MCIsMV1d");
        let turkish = BasketLine { name: "İklim \"ve\" Işık".to_owned(), unit_price: 5, quantity: 3 };
        let json = STANDARD.decode(basket(&[turkish]).unwrap()).unwrap();
        assert_eq!(String::from_utf8(json).unwrap(), r#"[["İklim \"ve\" Işık","0.05",3]]"#);
        assert!(basket(&[]).is_err());
    }

    #[test]
    fn only_a_public_address_is_sent() {
        for (client, sent) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("127.0.0.1", "198.51.100.9"),
            ("::1", "198.51.100.9"),
            ("10.1.2.3", "198.51.100.9"),
            ("192.168.1.4", "198.51.100.9"),
            ("100.64.0.1", "198.51.100.9"),
            ("fd00::1", "198.51.100.9"),
            ("::ffff:10.0.0.1", "198.51.100.9"),
        ] {
            let client = client.parse().unwrap();
            let stand_in = "198.51.100.9".parse().unwrap();
            assert_eq!(buyer_address(client, Some(stand_in)).unwrap().to_string(), sent);
            assert_eq!(buyer_address(client, None).is_ok(), client.to_canonical().to_string() == sent);
        }
    }

    #[test]
    fn a_long_name_is_cut_and_a_long_email_refused() {
        assert_eq!(shortened("name", &"Ğ".repeat(90), 60).unwrap(), "Ğ".repeat(60));
        assert!(required("email", &"a".repeat(101), 100).is_err());
        assert!(required("phone", "  ", 20).is_err());
    }
}
