//! Codes of an authenticator app: TOTP (RFC 6238) with SHA-1, six digits, 30 seconds, which all apps know.

use akademi_api::Problem;
use akademi_domain::time::Timestamp;
use subtle::ConstantTimeEq;
use totp_rs::{Algorithm, Secret, TOTP};

/// Of a secret, in bytes (RFC 4226 §4 recommends 160 bits).
pub const SECRET_BYTES: usize = 20;
const STEP_SECONDS: i64 = 30;
/// How many steps a clock may be off, either way.
const SKEW: i64 = 1;

fn totp(secret: &[u8]) -> Result<TOTP, Problem> {
    TOTP::new(Algorithm::SHA1, 6, 0, STEP_SECONDS as u64, secret.to_vec()).map_err(Problem::broken)
}

/// The time step that `code` belongs to, if it is one that is good now and later than `last`: a code is good once.
///
/// # Errors
/// `internal` for a secret that is too short.
pub fn step_of(secret: &[u8], code: &str, last: i64, now: Timestamp) -> Result<Option<i64>, Problem> {
    let totp = totp(secret)?;
    let current = now.as_seconds().div_euclid(STEP_SECONDS);
    let mut found = None;
    for step in current - SKEW..=current + SKEW {
        let expected = totp.generate(u64::try_from(step * STEP_SECONDS).unwrap_or(0));
        if bool::from(expected.as_bytes().ct_eq(code.as_bytes())) && step > last {
            found = Some(step);
        }
    }
    Ok(found)
}

/// The secret as people type it: base32 (RFC 4648 §6) without padding.
pub fn to_base32(secret: &[u8]) -> String {
    match Secret::Raw(secret.to_vec()).to_encoded() {
        Secret::Encoded(text) => text,
        Secret::Raw(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, Appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(step_of(SECRET, code, 0, at(seconds)).unwrap(), Some(seconds / 30), "{code}");
        }
        assert_eq!(to_base32(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_is_good_once_and_for_a_clock_that_is_off_by_half_a_minute() {
        assert_eq!(step_of(SECRET, "287082", 0, at(59 + 30)).unwrap(), Some(1));
        assert_eq!(step_of(SECRET, "287082", 0, at(59 + 31)).unwrap(), None);
        assert_eq!(step_of(SECRET, "287082", 1, at(59)).unwrap(), None, "it was used");
        for bad in ["", "28708", "2870822", "000000"] {
            assert_eq!(step_of(SECRET, bad, 0, at(59)).unwrap(), None);
        }
    }
}
