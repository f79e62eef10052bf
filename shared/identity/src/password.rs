//! Password hashes: argon2id with 19 MiB, two passes, one lane (OWASP), as PHC strings.

use akademi_api::Problem;
use akademi_domain::identity::normalise_password;
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

/// A hash that no password has, checked when there is nobody to check: so that an unknown address takes as
/// long as a wrong password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2R5$QUtBREVNSSBub2JvZHkgaGFzIHRoaXMgaGFzaCAhISE";

fn argon2() -> Result<Argon2<'static>, Problem> {
    let params = Params::new(19456, 2, 1, None).map_err(Problem::broken)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The PHC string of `password` with this salt.
///
/// # Errors
/// `internal`, should the library refuse.
pub fn hash(password: &str, salt: [u8; 16]) -> Result<String, Problem> {
    let hash = argon2()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(Problem::broken)?;
    Ok(hash.to_string())
}

/// Whether `password` is the one that `stored` was made of. Takes as long for nobody's hash, and for the empty one of somebody
/// who has no password: who signs in elsewhere.
///
/// # Errors
/// `internal` when the stored hash is none.
pub fn verify(password: &str, stored: Option<&str>) -> Result<bool, Problem> {
    let stored = stored.filter(|stored| !stored.is_empty());
    let hash = PasswordHash::new(stored.unwrap_or(NOBODY)).map_err(Problem::broken)?;
    let matches = argon2()?.verify_password(normalise_password(password).as_bytes(), &hash).is_ok();
    Ok(matches && stored.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_matches_its_hash() {
        let stored = hash("parolam çok uzun", [7; 16]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("parolam çok uzun", Some(&stored)).unwrap());
        assert!(
            verify("parolam c\u{327}ok uzun", Some(&stored)).unwrap(),
            "another keyboard, the same password"
        );
        assert!(!verify("parolam cok uzun", Some(&stored)).unwrap());
        assert!(!verify("parolam çok uzun", None).unwrap());
        assert!(!verify("", Some("")).unwrap(), "somebody without a password");
        assert_ne!(stored, hash("parolam çok uzun", [8; 16]).unwrap());
    }
}
