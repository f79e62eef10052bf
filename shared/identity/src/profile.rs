//! A person's name and address, sealed together under the person's key.

use akademi_api::Problem;
use akademi_domain::{
    identity::{EmailAddress, PersonName},
    ids::UserId,
};
use akademi_seal::{Nonce, PersonKey};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
pub struct Profile {
    pub name: PersonName,
    pub email: EmailAddress,
}

impl Profile {
    /// Sealed as the field `profile`.
    ///
    /// # Errors
    /// `internal`, should the profile not serialise.
    pub fn seal(&self, key: &PersonKey, person: UserId, nonce: Nonce) -> Result<Vec<u8>, Problem> {
        self.seal_as("profile", key, person, nonce)
    }

    pub(crate) fn seal_as(
        &self,
        field: &str,
        key: &PersonKey,
        person: UserId,
        nonce: Nonce,
    ) -> Result<Vec<u8>, Problem> {
        let plain = serde_json::to_vec(self).map_err(Problem::broken)?;
        Ok(key.seal(person, field, &plain, nonce))
    }

    /// What [`Profile::seal`] sealed.
    ///
    /// # Errors
    /// `internal` when it was sealed for somebody else, or altered.
    pub fn open(key: &PersonKey, person: UserId, sealed: &[u8]) -> Result<Self, Problem> {
        let plain = key.open(person, "profile", sealed).map_err(Problem::broken)?;
        serde_json::from_slice(&plain).map_err(|_| Problem::broken("a sealed profile has another shape"))
    }
}
