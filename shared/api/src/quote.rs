//! Quotes: what the edge says a basket costs, signed, for the Lambda plane to hold it to (design §4).
//!
//! A quote is `kid.terms.mac`: the terms are JSON in base64url, the MAC is HMAC-SHA-256 over `kid.terms` under a key
//! that both planes derive from the root they share. It reserves nothing and is good for 15 minutes.

use akademi_domain::{
    ids::{BundleId, CouponId, CourseId, TenantId, UserId},
    money::Currency,
    pricing::Quote,
    time::Timestamp,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::keys::{InvalidKeys, derive, parse_keys};

/// How long a quote is good for.
pub const QUOTE_SECONDS: i64 = 15 * 60;
/// How far the planes' clocks may lie apart.
const SKEW_SECONDS: i64 = 60;
/// A hundred lines take some 32 KB; a longer token is refused unread.
const MAX_TOKEN_BYTES: usize = 48 * 1024;
const LABEL: &str = "akademi/quote/1";

/// What a quote promises, to whom, and until when. Amounts are minor units of `currency`, VAT inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteTerms {
    pub tenant: TenantId,
    pub person: UserId,
    pub currency: Currency,
    /// The courses that are bought alone, in the basket's order, and then those of each bundle.
    pub lines: Vec<QuotedPrice>,
    /// The coupons that lowered the prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<CouponId>,
    pub total: i64,
    pub expires_at: Timestamp,
}

/// A line of a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotedPrice {
    pub course: CourseId,
    /// The bundle that it is bought with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<BundleId>,
    pub price: i64,
    /// The price less its part of the discount.
    pub total: i64,
    /// The VAT inside `total`.
    pub vat: i64,
}

impl QuoteTerms {
    /// What `quote`, in which `coupons` were applied, promises to `person`.
    pub fn new(
        tenant: TenantId,
        person: UserId,
        quote: &Quote,
        coupons: Vec<CouponId>,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            tenant,
            person,
            currency: quote.total.currency,
            lines: prices(quote),
            coupons,
            total: quote.total.amount,
            expires_at,
        }
    }

    /// Whether `quote` costs exactly what these terms promise, line by line.
    pub fn are_of(&self, quote: &Quote) -> bool {
        self.currency == quote.total.currency
            && self.total == quote.total.amount
            && self.lines == prices(quote)
    }
}

fn prices(quote: &Quote) -> Vec<QuotedPrice> {
    let line = |line: &akademi_domain::pricing::QuotedLine| QuotedPrice {
        course: line.course,
        bundle: line.bundle,
        price: line.price.amount,
        total: line.total.amount,
        vat: line.vat.amount,
    };
    quote.lines.iter().map(line).collect()
}

/// Why a quote is not honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    #[error("no such quote was given")]
    Invalid,
    #[error("the quote has expired")]
    Expired,
}

/// The keys of quotes; the first signs, all verify.
pub struct QuoteKeys {
    keys: Vec<(String, Zeroizing<[u8; 32]>)>,
}

impl QuoteKeys {
    /// Reads `kid:root` pairs and derives the keys of quotes.
    ///
    /// # Errors
    /// [`InvalidKeys`]
    pub fn from_config(text: &str) -> Result<Self, InvalidKeys> {
        let keys = parse_keys(text)?.into_iter().map(|root| (root.kid, derive(&root.bytes, LABEL))).collect();
        Ok(Self { keys })
    }

    /// The signed quote. `None` only if the terms could not be written, which no terms are.
    pub fn sign(&self, terms: &QuoteTerms) -> Option<String> {
        let (kid, key) = self.keys.first()?;
        let signed = format!("{kid}.{}", URL_SAFE_NO_PAD.encode(serde_json::to_vec(terms).ok()?));
        let mac = mac(key, &signed)?.finalize().into_bytes();
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac)))
    }

    /// The terms of a quote that one of these keys signed, compared in constant time.
    ///
    /// # Errors
    /// [`QuoteError`]
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<QuoteTerms, QuoteError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(QuoteError::Invalid);
        }
        let (signed, shown_mac) = token.rsplit_once('.').ok_or(QuoteError::Invalid)?;
        let (kid, terms) = signed.split_once('.').ok_or(QuoteError::Invalid)?;
        let (_, key) = self.keys.iter().find(|(known, _)| known == kid).ok_or(QuoteError::Invalid)?;
        let shown_mac = URL_SAFE_NO_PAD.decode(shown_mac).map_err(|_| QuoteError::Invalid)?;
        let mac = mac(key, signed).ok_or(QuoteError::Invalid)?;
        mac.verify_slice(&shown_mac).map_err(|_| QuoteError::Invalid)?;

        let terms = URL_SAFE_NO_PAD.decode(terms).map_err(|_| QuoteError::Invalid)?;
        let terms: QuoteTerms = serde_json::from_slice(&terms).map_err(|_| QuoteError::Invalid)?;
        let is_over = now >= terms.expires_at.plus_seconds(SKEW_SECONDS);
        if is_over { Err(QuoteError::Expired) } else { Ok(terms) }
    }
}

fn mac(key: &[u8; 32], signed: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(signed.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn root(kid: &str, seed: u8) -> String {
        format!("{kid}:{}", URL_SAFE_NO_PAD.encode([seed; 32]))
    }

    fn keys(text: &str) -> QuoteKeys {
        QuoteKeys::from_config(text).unwrap()
    }

    fn terms(lines: usize) -> QuoteTerms {
        let (course, bundle) = (CourseId::new(NOW, [3; 10]), Some(BundleId::new(NOW, [5; 10])));
        QuoteTerms {
            tenant: TenantId::new(NOW, [1; 10]),
            person: UserId::new(NOW, [2; 10]),
            currency: Currency::TRY,
            lines: vec![QuotedPrice { course, bundle, price: 14990, total: 11990, vat: 1998 }; lines],
            coupons: vec![CouponId::new(NOW, [4; 10]); 5],
            total: 11990,
            expires_at: NOW.plus_seconds(QUOTE_SECONDS),
        }
    }

    #[test]
    fn a_quote_is_good_for_15_minutes_and_a_minute_of_skew() {
        let keys = keys(&root("k1", 1));
        let token = keys.sign(&terms(1)).unwrap();
        assert_eq!(keys.verify(&token, NOW), Ok(terms(1)));
        let end = NOW.plus_seconds(QUOTE_SECONDS + 60);
        assert!(keys.verify(&token, Timestamp::from_millis(end.as_millis() - 1)).is_ok());
        assert_eq!(keys.verify(&token, end), Err(QuoteError::Expired));
        let longest = keys.sign(&terms(100)).unwrap();
        assert!(keys.verify(&longest, NOW).is_ok(), "{} bytes", longest.len());
    }

    #[test]
    fn an_altered_or_foreign_quote_is_none() {
        let keys_of_one = keys(&root("k1", 1));
        let token = keys_of_one.sign(&terms(1)).unwrap();
        let cheaper =
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(&QuoteTerms { total: 1, ..terms(1) }).unwrap());
        let [kid, _, mac] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
        for bad in ["", "a.b", "a.b.c", &format!("{kid}.{cheaper}.{mac}"), &token[..token.len() - 2]] {
            assert_eq!(keys_of_one.verify(bad, NOW), Err(QuoteError::Invalid), "{bad}");
        }
        assert_eq!(keys(&root("k1", 2)).verify(&token, NOW), Err(QuoteError::Invalid));
    }

    #[test]
    fn a_quote_outlives_the_rotation_of_its_key() {
        let token = keys(&root("old", 1)).sign(&terms(1)).unwrap();
        assert!(keys(&format!("{},{}", root("new", 2), root("old", 1))).verify(&token, NOW).is_ok());
        assert_eq!(keys(&root("new", 2)).verify(&token, NOW), Err(QuoteError::Invalid));
    }
}
