//! Who signs in: e-mail addresses, names and passwords, valid by construction; the refresh decision.

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{
    text::{self, InvalidText},
    time::Timestamp,
};

/// An e-mail address (RFC 5321 §4.1.2 without quoted local parts and address literals), lower-cased: the form
/// that look-ups hash. Its `Debug` shows nothing, so that it cannot slip into a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = Email, max_length = 254)]
pub struct EmailAddress(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an e-mail address")]
pub struct InvalidEmailAddress;

impl EmailAddress {
    /// # Errors
    /// Anything but `local@domain.tld` within 64 and 254 octets.
    pub fn parse(input: &str) -> Result<Self, InvalidEmailAddress> {
        let text: String = text::nfc(input.trim()).to_lowercase();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmailAddress)?;
        let local_is_valid = (1..=64).contains(&local.len())
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
        let label_is_valid = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let domain_is_valid = domain.contains('.') && domain.split('.').all(label_is_valid);
        if text.len() <= 254 && local_is_valid && domain_is_valid {
            Ok(Self(text))
        } else {
            Err(InvalidEmailAddress)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidEmailAddress;

    fn try_from(text: String) -> Result<Self, InvalidEmailAddress> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> String {
        address.0
    }
}

/// A person's name as it stands on a certificate: 1 to 200 characters. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 200)]
pub struct PersonName(String);

impl PersonName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What strangers see of it: the first name and the initial of the last one, `Ayşe Y.`; a single name as it is.
    pub fn discreet(&self) -> String {
        let mut names = self.0.split_whitespace();
        let first = names.next().unwrap_or_default();
        match names.next_back().and_then(|last| last.chars().next()) {
            Some(initial) => format!("{first} {initial}."),
            None => first.to_owned(),
        }
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(…)")
    }
}

impl TryFrom<String> for PersonName {
    type Error = InvalidText;

    fn try_from(input: String) -> Result<Self, InvalidText> {
        text::line(&input, 200).map(Self)
    }
}

impl From<PersonName> for String {
    fn from(name: PersonName) -> String {
        name.0
    }
}

/// A password that somebody chooses: 10 to 128 characters in NFKC, none that many others have chosen (NIST SP 800-63B
/// §5.1.1.2: length is what counts, no composition rules). Its `Debug` shows nothing.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, format = Password, min_length = 10, max_length = 128)]
pub struct NewPassword(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    #[error("is shorter than 10 characters")]
    TooShort,
    #[error("is longer than 128 characters")]
    TooLong,
    #[error("is one that many people use, so it is tried first: choose another")]
    Common,
}

/// Of the 10,000 passwords that leaked most often (from Django's list, which Royce Williams made of Have I Been Pwned's),
/// those that are long enough to be chosen here, and what is common in Turkey beside them; sorted, in lower case.
const COMMON_PASSWORDS: &str = include_str!("identity/common_passwords.txt");

fn is_common(password: &str) -> bool {
    let password = password.to_lowercase();
    COMMON_PASSWORDS.lines().any(|common| common == password)
}

impl NewPassword {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

impl TryFrom<String> for NewPassword {
    type Error = InvalidPassword;

    fn try_from(input: String) -> Result<Self, InvalidPassword> {
        let text = normalise_password(&input);
        match text.chars().count() {
            0..=9 => Err(InvalidPassword::TooShort),
            10..=128 if is_common(&text) => Err(InvalidPassword::Common),
            10..=128 => Ok(Self(text)),
            _ => Err(InvalidPassword::TooLong),
        }
    }
}

/// The form of a password that is hashed: NFKC, so that one typed on another keyboard is the same.
pub fn normalise_password(input: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc().normalize(input).into_owned()
}

/// How long a session lives and how a client may race itself (design §8).
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;
pub const REFRESH_GRACE_SECONDS: i64 = 10;
/// How long ago somebody may have proved who they are to do something dangerous.
pub const STEP_UP_SECONDS: i64 = 15 * 60;

/// How long an academy lets a device stay signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without being seen.
    pub idle_seconds: i64,
    /// In all.
    pub absolute_seconds: i64,
}

impl Default for SessionLimits {
    /// 30 and 180 days.
    fn default() -> Self {
        Self { idle_seconds: 30 * 24 * 3600, absolute_seconds: 180 * 24 * 3600 }
    }
}

/// What a session's row says when a refresh token is shown.
#[derive(Debug, Clone, Copy)]
pub struct SessionFacts {
    /// How often the refresh token has been rotated; the current token carries this number.
    pub generation: i64,
    pub rotated_at: Timestamp,
    pub created_at: Timestamp,
    pub revoked: bool,
    pub limits: SessionLimits,
}

/// What to do with a refresh token that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// It is the current one: hand out its successor.
    Rotate,
    /// A client raced itself: hand out the same successor again.
    Replay,
    Expired,
    Revoked,
    /// An old token came back: somebody else has it. The whole family ends (RFC 9700 §4.14.2).
    ReuseDetected,
}

/// Decides on the refresh token of `generation` at `now`.
pub fn refresh(session: SessionFacts, generation: i64, now: Timestamp) -> Refresh {
    let idle = now.millis_since(session.rotated_at);
    let age = now.millis_since(session.created_at);
    if session.revoked {
        Refresh::Revoked
    } else if idle > session.limits.idle_seconds * 1000 || age > session.limits.absolute_seconds * 1000 {
        Refresh::Expired
    } else if generation == session.generation {
        Refresh::Rotate
    } else if generation == session.generation - 1 && idle <= REFRESH_GRACE_SECONDS * 1000 {
        Refresh::Replay
    } else {
        Refresh::ReuseDetected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_lower_cased_and_checked() {
        assert_eq!(EmailAddress::parse(" Ayse.Yilmaz@Ornek.COM ").unwrap().as_str(), "ayse.yilmaz@ornek.com");
        for bad in
            ["", "a", "a@b", "@b.co", "a@.co", "a..b@c.co", "a b@c.co", "a@c_d.co", "a@-c.co", "a\n@c.co"]
        {
            assert_eq!(EmailAddress::parse(bad), Err(InvalidEmailAddress), "{bad}");
        }
        assert!(EmailAddress::parse(&format!("{}@b.co", "a".repeat(65))).is_err());
    }

    #[test]
    fn strangers_see_a_first_name_and_an_initial() {
        for (name, seen) in [
            ("Ayşe Nur Yılmaz", "Ayşe Y."),
            ("İpek  Işık", "İpek I."),
            ("Çağrı", "Çağrı"),
            ("Ali ıldız", "Ali ı."),
        ] {
            let name = PersonName::try_from(name.to_owned()).unwrap();
            assert_eq!(name.discreet(), seen, "{name:?}");
        }
    }

    #[test]
    fn nothing_personal_is_debug_printed() {
        let name = PersonName::try_from("Şükrü".to_owned()).unwrap();
        let password = NewPassword::try_from("correct horse".to_owned()).unwrap();
        let address = EmailAddress::parse("a@b.co").unwrap();
        assert_eq!(format!("{name:?}{password:?}{address:?}"), "PersonName(…)NewPassword(…)EmailAddress(…)");
    }

    #[test]
    fn a_password_is_long_enough_and_not_everybodys() {
        let parse = |text: &str| NewPassword::try_from(text.to_owned()).map(|password| password.0);
        assert_eq!(parse("uzun bir parola").unwrap(), "uzun bir parola");
        for (bad, error) in [
            ("dokuzharf", InvalidPassword::TooShort),
            (&"a".repeat(129), InvalidPassword::TooLong),
            ("1234567890", InvalidPassword::Common),
            ("PassWord123", InvalidPassword::Common),
            ("Galatasaray1905", InvalidPassword::Common),
        ] {
            assert_eq!(parse(bad), Err(error), "{bad}");
        }
        assert!(COMMON_PASSWORDS.lines().count() > 700);
        assert!(COMMON_PASSWORDS.lines().all(|common| common == common.to_lowercase()));
    }

    const START: i64 = 1_790_000_000_000;

    fn session(generation: i64) -> SessionFacts {
        SessionFacts {
            generation,
            rotated_at: Timestamp::from_millis(START),
            created_at: Timestamp::from_millis(START),
            revoked: false,
            limits: SessionLimits::default(),
        }
    }

    #[test]
    fn a_client_may_race_itself_for_ten_seconds_only() {
        let after = |seconds| Timestamp::from_millis(START).plus_seconds(seconds);
        assert_eq!(refresh(session(3), 3, after(3600)), Refresh::Rotate);
        assert_eq!(refresh(session(3), 2, after(10)), Refresh::Replay);
        assert_eq!(refresh(session(3), 2, after(11)), Refresh::ReuseDetected);
        assert_eq!(refresh(session(3), 1, after(1)), Refresh::ReuseDetected);
        assert_eq!(refresh(session(3), 3, after(30 * 24 * 3600 + 1)), Refresh::Expired);
        let limits = SessionLimits { idle_seconds: 600, absolute_seconds: 3600 };
        assert_eq!(refresh(SessionFacts { limits, ..session(3) }, 3, after(601)), Refresh::Expired);
        let seen = SessionFacts { limits, rotated_at: after(3500), ..session(3) };
        assert_eq!(refresh(seen, 3, after(3599)), Refresh::Rotate);
        assert_eq!(
            refresh(seen, 3, after(3601)),
            Refresh::Expired,
            "seen just now, but signed in too long ago"
        );
        assert_eq!(refresh(SessionFacts { revoked: true, ..session(3) }, 3, after(1)), Refresh::Revoked);
    }

    proptest! {
        #[test]
        fn only_the_current_and_the_previous_token_ever_pass(current in 0i64..50, shown in -5i64..60, wait in 0i64..100) {
            let decision = refresh(session(current), shown, Timestamp::from_millis(START).plus_seconds(wait));
            let passes = matches!(decision, Refresh::Rotate | Refresh::Replay);
            prop_assert_eq!(passes, shown == current || (shown == current - 1 && wait <= REFRESH_GRACE_SECONDS));
        }
    }
}
