//! What a code holds: where it belongs, and a keyed hash that nobody else can make.
//!
//! The hash covers academy, batch and number; 41 bits of it stand in the code. The place is masked by a second hash over
//! those bits, so that a code tells neither how many there are nor what its neighbour looks like.

use akademi_domain::{
    activation_code::{ActivationCode, CodePrefix},
    ids::{ActivationBatchId, TenantId},
};
use akademi_seal::{Vault, hmac};

/// The most codes of a batch.
pub const MAX_CODES: u32 = 100_000;
/// One more than the largest number of a batch.
const BATCHES: u64 = 1 << 16;
const PLACES: u64 = BATCHES * MAX_CODES as u64;
const TAG_BITS: u32 = 41;

// Every place under every tag is a number that a code can hold.
const _: () = assert!((PLACES as u128) << TAG_BITS <= ActivationCode::PAYLOADS);

/// What of a batch its codes are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchKey {
    pub id: ActivationBatchId,
    /// Its number in the academy: 1 to 65,535.
    pub number: u32,
    pub prefix: CodePrefix,
}

/// Where a code says that it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The batch's number in the academy.
    pub batch: u32,
    /// The code's number in the batch, from 1 on.
    pub code: u32,
}

/// What makes codes, and knows them again.
pub struct CodeKeys([u8; 32]);

impl CodeKeys {
    pub fn new(vault: &Vault) -> Self {
        Self(*vault.derive("akademi/activation-code/1"))
    }

    /// The code of this number, from 1 to [`MAX_CODES`], in the batch; always the same.
    pub fn code(&self, tenant: TenantId, batch: &BatchKey, number: u32) -> ActivationCode {
        let tag = self.tag(tenant, batch.id, number);
        let place = u64::from(batch.number) * u64::from(MAX_CODES) + u64::from(number.saturating_sub(1));
        let masked = (place + self.mask(tenant, tag)) % PLACES;
        ActivationCode::new(&batch.prefix, u128::from(masked) << TAG_BITS | u128::from(tag))
    }

    /// Where to look for the code; nothing when no code of any academy holds such a number. That it belongs there is for
    /// [`CodeKeys::code`] to say.
    pub fn place(&self, tenant: TenantId, code: &ActivationCode) -> Option<Place> {
        let masked = u64::try_from(code.payload() >> TAG_BITS).ok().filter(|masked| *masked < PLACES)?;
        let tag = u64::try_from(code.payload() & ((1 << TAG_BITS) - 1)).ok()?;
        let place = (masked + PLACES - self.mask(tenant, tag)) % PLACES;
        Some(Place {
            batch: u32::try_from(place / u64::from(MAX_CODES)).ok()?,
            code: u32::try_from(place % u64::from(MAX_CODES)).ok()? + 1,
        })
    }

    fn tag(&self, tenant: TenantId, batch: ActivationBatchId, number: u32) -> u64 {
        let (tenant, batch) = (tenant.as_uuid(), batch.as_uuid());
        let message =
            [b"code".as_slice(), tenant.as_bytes(), batch.as_bytes(), &number.to_be_bytes()].concat();
        first_bits(&hmac(&self.0, &message)) >> (u64::BITS - TAG_BITS)
    }

    fn mask(&self, tenant: TenantId, tag: u64) -> u64 {
        let message = [b"place".as_slice(), tenant.as_uuid().as_bytes(), &tag.to_be_bytes()].concat();
        first_bits(&hmac(&self.0, &message)) % PLACES
    }
}

fn first_bits(hash: &[u8; 32]) -> u64 {
    hash.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::time::Timestamp;
    use std::collections::BTreeSet;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn keys(letter: &str) -> CodeKeys {
        CodeKeys::new(&Vault::from_config(&letter.repeat(43)).unwrap())
    }

    fn tenant(n: u8) -> TenantId {
        TenantId::new(NOW, [n; 10])
    }

    fn batch(number: u32, prefix: &str) -> BatchKey {
        BatchKey { id: ActivationBatchId::new(NOW, [7; 10]), number, prefix: prefix.parse().unwrap() }
    }

    #[test]
    fn codes_stay_the_same_for_ever() {
        for (batch, number, code) in [
            (batch(1, ""), 1, "KDZZ-MVF4-3G3J-2BT8"),
            (batch(1, "BAHAR"), 2, "BAHAR-5SM5-WDYF-UM8F-4F7Q"),
            (batch(65_535, ""), 100_000, "A8BJ-54DG-ZAGM-9H36"),
        ] {
            assert_eq!(keys("A").code(tenant(1), &batch, number).to_string(), code);
        }
    }

    #[test]
    fn a_codes_place_is_found_in_its_own_academy_and_nobody_else_makes_it() {
        for number in [1, 2, 77_777, MAX_CODES] {
            for batch in [batch(1, ""), batch(40_000, "BAHAR"), batch(65_535, "")] {
                let code = keys("A").code(tenant(1), &batch, number);
                let place = Place { batch: batch.number, code: number };
                assert_eq!(keys("A").place(tenant(1), &code), Some(place));
                assert_ne!(keys("A").place(tenant(2), &code), Some(place), "another academy");
                assert_ne!(keys("E").code(tenant(1), &batch, number), code, "another key");
                let other = BatchKey { id: ActivationBatchId::new(NOW, [8; 10]), ..batch };
                assert_ne!(keys("A").code(tenant(1), &other, number), code, "another batch of that number");
            }
        }
    }

    #[test]
    fn all_codes_of_a_batch_are_distinct_and_neighbours_are_not_alike() {
        let keys = keys("A");
        let codes: Vec<_> =
            (1..=20_000).map(|number| keys.code(tenant(1), &batch(3, ""), number).to_string()).collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
        let groups: BTreeSet<_> = codes.iter().take(1000).map(|code| &code[..4]).collect();
        assert!(groups.len() > 990, "{}", groups.len());
    }
}
