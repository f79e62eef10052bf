//! What a certificate says.

use akademi_domain::{certificate::CertificateSerial, colour::Colour};
use std::str::FromStr;

/// A certificate of completion. The three texts are as people typed them and may hold anything; they are set as
/// plain text on one line or a few, shortened with an ellipsis where they are longer than a page can show.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub learner_name: String,
    pub course_title: String,
    pub academy_name: String,
    pub brand_colour: Colour,
    /// A JPEG (ITU-T T.81), shown beside the academy's name.
    pub logo: Option<Vec<u8>>,
    pub serial: CertificateSerial,
    /// The day on which it was issued, in the academy's time zone.
    pub issued_on: jiff::civil::Date,
    /// Where anybody can check it: the text, the link and the QR code of the page.
    pub verify_url: VerifyUrl,
    pub locale: Locale,
}

/// The language of the page's own words and of its date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locale {
    Tr,
    En,
}

impl Locale {
    /// The language's ISO 639-1 code.
    pub const fn language(self) -> &'static str {
        match self {
            Self::Tr => "tr",
            Self::En => "en",
        }
    }
}

/// Text that is no address of a verification page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an http or https address of at most 200 characters")]
pub struct InvalidVerifyUrl;

/// An absolute `https` or `http` address in the characters of RFC 3986 §2, at most 200 of them: more would make
/// the QR code too fine to scan from a wall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyUrl(String);

impl VerifyUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VerifyUrl {
    type Err = InvalidVerifyUrl;

    fn from_str(text: &str) -> Result<Self, InvalidVerifyUrl> {
        let rest =
            text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(InvalidVerifyUrl)?;
        let has_host = rest.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'[');
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
        if has_host && text.len() <= 200 && rest.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidVerifyUrl)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_web_page_and_nowhere_else() {
        assert!("https://umraniye.example/verify/00ff".parse::<VerifyUrl>().is_ok());
        assert!("http://umraniye.localhost:8080/verify/00ff".parse::<VerifyUrl>().is_ok());
        let long = format!("https://a.example/{}", "x".repeat(200));
        for text in [
            "",
            "https://",
            "https:///x",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://a b",
            "https://a/\n",
            "https://ı",
            "https://a/\"",
            &long,
        ] {
            assert_eq!(text.parse::<VerifyUrl>(), Err(InvalidVerifyUrl), "{text}");
        }
    }
}
