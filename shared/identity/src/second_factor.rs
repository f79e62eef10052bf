//! Codes of a second factor: of an authenticator app, and recovery codes for when it is lost. Each is good once.

use akademi_api::Problem;
use akademi_domain::{ids::UserId, time::Timestamp};
use akademi_edge_store::TenantStatement;
use akademi_seal::PersonKey;
use http::StatusCode;
use sha2::{Digest, Sha256};

use crate::{store, totp};

/// No letters that look or sound like another (Crockford's base 32), 32 of them: 5 bits each.
const RECOVERY_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// How many letters a recovery code has.
pub const RECOVERY_LETTERS: usize = 10;

pub fn wrong_code() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "wrong-code", "The code is wrong, too old, or was used before.")
}

/// A code that is right.
pub enum Used {
    /// The app's code of this time step.
    App(i64),
    Recovery([u8; 32]),
}

impl Used {
    /// What `code` is, if it can be right: a recovery code still has to be found.
    pub fn of(
        code: &str,
        person: UserId,
        key: &PersonKey,
        found: &store::Person,
        now: Timestamp,
    ) -> Result<Option<Self>, Problem> {
        let Some(sealed) = &found.totp_secret else { return Ok(None) };
        let code: String = code.chars().filter(|letter| letter.is_alphanumeric()).collect();
        if code.len() == RECOVERY_LETTERS {
            return Ok(Some(Self::Recovery(recovery_hash(person, &code))));
        }
        let secret = key.open(person, "totp", sealed).map_err(Problem::broken)?;
        Ok(totp::step_of(&secret, &code, found.totp_step, now)?.map(Self::App))
    }

    /// As the audit log calls it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::App(_) => "second_factor",
            Self::Recovery(_) => "recovery_code",
        }
    }

    /// The batch's condition: it was not used before.
    pub fn is_unspent(&self, person: UserId) -> TenantStatement {
        match self {
            Self::App(step) => store::totp_step_is_before(person, *step),
            Self::Recovery(hash) => store::recovery_code_is_there(person, hash),
        }
    }

    pub fn spend(&self, person: UserId) -> TenantStatement {
        match self {
            Self::App(step) => store::update_totp_step(person, *step),
            Self::Recovery(hash) => store::delete_recovery_code(person, hash),
        }
    }
}

/// What is kept of a recovery code.
pub fn recovery_hash(person: UserId, code: &str) -> [u8; 32] {
    // Crockford's base 32 is read whatever the case, and whatever was taken for a digit.
    let code: String = code
        .to_ascii_lowercase()
        .chars()
        .map(|letter| match letter {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .collect();
    Sha256::new().chain_update(person.as_uuid().as_bytes()).chain_update(code).finalize().into()
}

/// Of 50 random bits.
pub fn recovery_code(random: [u8; RECOVERY_LETTERS]) -> String {
    let letter = |byte: u8| RECOVERY_ALPHABET.get(usize::from(byte & 31)).copied().map_or('0', char::from);
    random.into_iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    #[test]
    fn a_recovery_code_may_be_read_aloud_and_typed_as_heard() {
        let person = UserId::new(NOW, [3; 10]);
        let code = recovery_code([0, 1, 17, 18, 31, 255, 9, 10, 32, 33]);
        assert_eq!(code, "01hjzz9a01");
        assert_eq!(recovery_hash(person, &code), recovery_hash(person, "OIHJZZ9AOL"));
        assert_ne!(recovery_hash(person, &code), recovery_hash(person, "01hjzz9a02"));
        assert_ne!(recovery_hash(person, &code), recovery_hash(UserId::new(NOW, [4; 10]), &code));
    }
}
