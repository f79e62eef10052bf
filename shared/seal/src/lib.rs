//! Personal data at rest (design §8).
//!
//! Every person has a random 256-bit key; personal fields are sealed under it with XChaCha20-Poly1305. The key
//! is stored wrapped under a key of the person's academy, which each plane derives from a master secret of its
//! own. Destroying the wrapped key in both planes erases the person. An e-mail address is found by a keyed hash.

use akademi_api::keys::{InvalidKeys, derive, parse_key};
use akademi_domain::{
    identity::EmailAddress,
    ids::{TenantId, UserId},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use lru::LruCache;
use sha2::Sha256;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Random bytes that make one sealing unlike any other; never used twice.
pub type Nonce = [u8; NONCE_BYTES];

const NONCE_BYTES: usize = 24;
/// How many academies' keys a vault keeps derived.
const MAX_TENANT_KEYS: usize = 256;

/// The bytes were sealed under another key, for another place, or were altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed data does not open: wrong key, wrong place or altered")]
pub struct Unopenable;

/// One plane's master secret and what it opens.
pub struct Vault {
    master: Zeroizing<[u8; 32]>,
    /// The keys of the academies that were asked for last, wiped as they make way: deriving one costs as much as
    /// opening what it seals.
    tenant_keys: Mutex<LruCache<TenantId, Zeroizing<[u8; 32]>>>,
}

impl Vault {
    /// Reads a 32-byte secret in base64url.
    ///
    /// # Errors
    /// [`InvalidKeys`]
    pub fn from_config(text: &str) -> Result<Self, InvalidKeys> {
        Ok(Self { master: parse_key(text)?, tenant_keys: Mutex::new(LruCache::unbounded()) })
    }

    /// The keyed hash that an e-mail address is found by within one academy (HMAC-SHA-256).
    pub fn email_lookup(&self, tenant: TenantId, email: &EmailAddress) -> [u8; 32] {
        let key = derive(&self.master, &format!("akademi/email-lookup/1/{tenant}"));
        hmac(&key, email.as_str().as_bytes())
    }

    /// What names are found by within one academy.
    pub fn name_lookup(&self, tenant: TenantId) -> NameLookup {
        NameLookup(derive(&self.master, &format!("akademi/name-lookup/1/{tenant}")))
    }

    /// `key` wrapped for storage.
    pub fn wrap_key(&self, tenant: TenantId, user: UserId, key: &PersonKey, nonce: Nonce) -> Vec<u8> {
        seal(&self.tenant_key(tenant), &place(user, "person-key"), key.0.as_slice(), nonce)
    }

    /// A person's key from its wrapped form.
    ///
    /// # Errors
    /// [`Unopenable`]
    pub fn unwrap_key(
        &self,
        tenant: TenantId,
        user: UserId,
        wrapped: &[u8],
    ) -> Result<PersonKey, Unopenable> {
        let bytes = open(&self.tenant_key(tenant), &place(user, "person-key"), wrapped)?;
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| Unopenable)?;
        Ok(PersonKey(Zeroizing::new(bytes)))
    }

    /// A secret of an academy, sealed for `purpose`; opens nowhere else.
    pub fn seal_secret(&self, tenant: TenantId, purpose: &str, plain: &[u8], nonce: Nonce) -> Vec<u8> {
        seal(&self.secrets_key(tenant), purpose.as_bytes(), plain, nonce)
    }

    /// What [`Vault::seal_secret`] sealed.
    ///
    /// # Errors
    /// [`Unopenable`]
    pub fn open_secret(
        &self,
        tenant: TenantId,
        purpose: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
        open(&self.secrets_key(tenant), purpose.as_bytes(), sealed)
    }

    /// A key for another purpose of this plane.
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        derive(&self.master, label)
    }

    fn secrets_key(&self, tenant: TenantId) -> Zeroizing<[u8; 32]> {
        derive(&self.master, &format!("akademi/tenant-secrets/1/{tenant}"))
    }

    fn tenant_key(&self, tenant: TenantId) -> Zeroizing<[u8; 32]> {
        let mut keys = self.tenant_keys.lock().unwrap_or_else(PoisonError::into_inner);
        let derived = || derive(&self.master, &format!("akademi/tenant-key/1/{tenant}"));
        let key = keys.get_or_insert(tenant, derived).clone();
        if keys.len() > MAX_TENANT_KEYS {
            keys.pop_lru();
        }
        key
    }
}

/// The key under which an academy's store knows beginnings of names.
pub struct NameLookup(Zeroizing<[u8; 32]>);

impl NameLookup {
    /// What the store has in the place of the letters that a word begins with: 52 bits of HMAC-SHA-256, which every engine
    /// keeps as an integer. Two beginnings that share them are told apart by the name itself.
    pub fn of(&self, prefix: &str) -> i64 {
        let bits = hmac(&self.0, prefix.as_bytes()).into_iter().take(8);
        bits.fold(0_i64, |number, byte| (number << 8 | i64::from(byte)) & ((1 << 52) - 1))
    }
}

/// The key of one person's data.
#[derive(Clone)]
pub struct PersonKey(Zeroizing<[u8; 32]>);

impl PersonKey {
    pub fn from_bytes(random: [u8; 32]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// The key itself, for handing it to the other plane through a signed call and nothing else.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// `plain` sealed for `field` of `user`; opens nowhere else.
    pub fn seal(&self, user: UserId, field: &str, plain: &[u8], nonce: Nonce) -> Vec<u8> {
        seal(&self.0, &place(user, field), plain, nonce)
    }

    /// What [`PersonKey::seal`] sealed.
    ///
    /// # Errors
    /// [`Unopenable`]
    pub fn open(&self, user: UserId, field: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
        open(&self.0, &place(user, field), sealed)
    }
}

/// A key of an academy's records that are kept apart from its people's data, and for longer. It is stored sealed by
/// [`Vault::seal_secret`]; destroying that ends the records.
#[derive(Clone)]
pub struct RecordKey(Zeroizing<[u8; 32]>);

impl RecordKey {
    pub fn from_bytes(random: [u8; 32]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// `plain` sealed for the record of this name; opens nowhere else.
    pub fn seal(&self, record: &str, plain: &[u8], nonce: Nonce) -> Vec<u8> {
        seal(&self.0, record.as_bytes(), plain, nonce)
    }

    /// What [`RecordKey::seal`] sealed.
    ///
    /// # Errors
    /// [`Unopenable`]
    pub fn open(&self, record: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
        open(&self.0, record.as_bytes(), sealed)
    }
}

fn place(user: UserId, field: &str) -> Vec<u8> {
    format!("{user}/{field}").into_bytes()
}

/// Nonce and ciphertext, one after the other.
fn seal(key: &[u8; 32], place: &[u8], plain: &[u8], nonce: Nonce) -> Vec<u8> {
    let cipher = XChaCha20Poly1305::new(key.into());
    let mut sealed = nonce.to_vec();
    // Encryption fails only beyond 256 GiB.
    let boxed =
        cipher.encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: place }).unwrap_or_default();
    sealed.extend(boxed);
    sealed
}

fn open(key: &[u8; 32], place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
    let (nonce, boxed) = sealed.split_at_checked(NONCE_BYTES).ok_or(Unopenable)?;
    XChaCha20Poly1305::new(key.into())
        .decrypt(XNonce::from_slice(nonce), Payload { msg: boxed, aad: place })
        .map(Zeroizing::new)
        .map_err(|_| Unopenable)
}

/// HMAC-SHA-256 of `message` under `key`.
pub fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // A key of 32 bytes is never refused.
    <Hmac<Sha256> as Mac>::new_from_slice(key).map_or([0; 32], |mut mac| {
        mac.update(message);
        mac.finalize().into_bytes().into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn vault(letter: &str) -> Vault {
        Vault::from_config(&letter.repeat(43)).unwrap()
    }

    fn tenant(n: u8) -> TenantId {
        TenantId::new(NOW, [n; 10])
    }

    fn user(n: u8) -> UserId {
        UserId::new(NOW, [n; 10])
    }

    #[test]
    fn sealed_data_opens_only_in_its_place() {
        let key = PersonKey::from_bytes([5; 32]);
        let sealed = key.seal(user(1), "profile", "Şükrü".as_bytes(), [9; 24]);
        assert_eq!(key.open(user(1), "profile", &sealed).unwrap().as_slice(), "Şükrü".as_bytes());
        assert!(key.open(user(2), "profile", &sealed).is_err());
        assert!(key.open(user(1), "phone", &sealed).is_err());
        assert!(PersonKey::from_bytes([6; 32]).open(user(1), "profile", &sealed).is_err());
        let mut altered = sealed.clone();
        altered[30] ^= 1;
        assert!(key.open(user(1), "profile", &altered).is_err());
        assert!(key.open(user(1), "profile", &sealed[..10]).is_err());
        assert!(!sealed.windows(3).any(|w| w == "kr\u{fc}".as_bytes()[..3].as_ref()));
    }

    #[test]
    fn a_record_opens_under_its_key_and_name_only() {
        let key = RecordKey::from_bytes([5; 32]);
        let sealed = key.seal("1", b"invoice", [9; 24]);
        assert_eq!(key.open("1", &sealed).unwrap().as_slice(), b"invoice");
        assert!(key.open("2", &sealed).is_err());
        assert!(RecordKey::from_bytes([6; 32]).open("1", &sealed).is_err());
    }

    #[test]
    fn a_wrapped_key_belongs_to_one_person_academy_and_plane() {
        let key = PersonKey::from_bytes([5; 32]);
        let wrapped = vault("A").wrap_key(tenant(1), user(1), &key, [9; 24]);
        assert_eq!(vault("A").unwrap_key(tenant(1), user(1), &wrapped).unwrap().expose(), key.expose());
        assert!(vault("A").unwrap_key(tenant(2), user(1), &wrapped).is_err());
        assert!(vault("A").unwrap_key(tenant(1), user(2), &wrapped).is_err());
        assert!(vault("E").unwrap_key(tenant(1), user(1), &wrapped).is_err());
    }

    #[test]
    fn derived_keys_are_kept_up_to_a_bound() {
        let (vault, key) = (vault("A"), PersonKey::from_bytes([5; 32]));
        let academies: Vec<_> =
            (0..MAX_TENANT_KEYS as i64 + 1).map(|n| TenantId::new(NOW.plus_seconds(n), [1; 10])).collect();
        let wrapped = |tenant| vault.wrap_key(tenant, user(1), &key, [9; 24]);
        let first: Vec<_> = academies.iter().map(|&tenant| wrapped(tenant)).collect();
        assert_eq!(vault.tenant_keys.lock().unwrap().len(), MAX_TENANT_KEYS);
        assert!(!vault.tenant_keys.lock().unwrap().contains(&academies[0]), "the oldest makes way");
        let again: Vec<_> = academies.iter().map(|&tenant| wrapped(tenant)).collect();
        assert_eq!(first, again, "kept or derived anew, it is the same key");
    }

    #[test]
    fn a_secret_belongs_to_one_academy_purpose_and_plane() {
        let sealed = vault("A").seal_secret(tenant(1), "paytr", b"key", [9; 24]);
        assert_eq!(vault("A").open_secret(tenant(1), "paytr", &sealed).unwrap().as_slice(), b"key");
        assert!(vault("A").open_secret(tenant(2), "paytr", &sealed).is_err());
        assert!(vault("A").open_secret(tenant(1), "smtp", &sealed).is_err());
        assert!(vault("E").open_secret(tenant(1), "paytr", &sealed).is_err());
    }

    #[test]
    fn a_beginning_of_a_name_has_another_number_in_every_academy_and_plane() {
        let number = |letter, n| vault(letter).name_lookup(tenant(n)).of("su");
        assert_eq!(number("A", 1), number("A", 1));
        assert!(number("A", 1) != number("A", 2) && number("A", 1) != number("E", 1));
        let lookup = vault("A").name_lookup(tenant(1));
        let numbers: std::collections::BTreeSet<_> = (0..1000).map(|n| lookup.of(&n.to_string())).collect();
        assert_eq!(numbers.len(), 1000);
        assert!(numbers.iter().all(|number| (0..1 << 52).contains(number)));
    }

    #[test]
    fn one_address_has_another_hash_in_every_academy() {
        let email = EmailAddress::parse("a@b.co").unwrap();
        assert_eq!(vault("A").email_lookup(tenant(1), &email), vault("A").email_lookup(tenant(1), &email));
        assert_ne!(vault("A").email_lookup(tenant(1), &email), vault("A").email_lookup(tenant(2), &email));
    }
}
