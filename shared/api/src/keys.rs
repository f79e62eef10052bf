//! Secrets from configuration, and what is derived from them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// A 32-byte secret with the name that says which one it is. Wiped when dropped.
#[derive(Clone)]
pub struct NamedKey {
    pub kid: String,
    pub bytes: Zeroizing<[u8; 32]>,
}

/// Text that is no list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one to four `kid:key` pairs, comma-separated, each key 32 bytes in base64url")]
pub struct InvalidKeys;

/// Parses `kid:key,kid:key`: one to four keys of 32 bytes in base64url without padding, the first one current.
///
/// # Errors
/// [`InvalidKeys`], which repeats nothing of the text.
pub fn parse_keys(text: &str) -> Result<Vec<NamedKey>, InvalidKeys> {
    let keys: Vec<NamedKey> = text
        .split(',')
        .map(|pair| {
            let (kid, key) = pair.trim().split_once(':').ok_or(InvalidKeys)?;
            let kid_is_valid =
                (1..=32).contains(&kid.len()) && kid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if !kid_is_valid {
                return Err(InvalidKeys);
            }
            Ok(NamedKey { kid: kid.to_owned(), bytes: parse_key(key)? })
        })
        .collect::<Result<_, _>>()?;
    if keys.len() > 4 {
        return Err(InvalidKeys);
    }
    Ok(keys)
}

/// One key of 32 bytes in base64url without padding.
///
/// # Errors
/// [`InvalidKeys`]
pub fn parse_key(text: &str) -> Result<Zeroizing<[u8; 32]>, InvalidKeys> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| InvalidKeys)?);
    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| InvalidKeys)?;
    Ok(Zeroizing::new(bytes))
}

/// A key for one purpose: HKDF-SHA-256 (RFC 5869) of `root` with `label` as its info, no salt.
pub fn derive(root: &[u8; 32], label: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    // Expanding to 32 bytes fails for no input: the limit is 255 × 32.
    let _ = Hkdf::<Sha256>::new(None, root).expand(label.as_bytes(), key.as_mut_slice());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_order_and_checked() {
        let key = URL_SAFE_NO_PAD.encode([7; 32]);
        let keys = parse_keys(&format!("new:{key},old:{key}")).unwrap();
        assert_eq!(keys.iter().map(|key| key.kid.as_str()).collect::<Vec<_>>(), ["new", "old"]);
        for bad in [
            "",
            "new",
            "new:short",
            &format!(":{key}"),
            &format!("a b:{key}"),
            &vec![format!("k:{key}"); 5].join(","),
        ] {
            assert!(parse_keys(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn derived_keys_differ_by_label_and_root() {
        assert_ne!(*derive(&[1; 32], "origin"), *derive(&[1; 32], "feed"));
        assert_ne!(*derive(&[1; 32], "origin"), *derive(&[2; 32], "origin"));
    }
}
