//! Whose account it is.

use akademi_api::{Academy, Problem, federation::Subject};
use akademi_domain::{
    identity::{EmailAddress, PersonName},
    ids::{IdentityId, TenantId, UserId},
    permission::Role,
};
use akademi_identity::{
    Granted, Newcomer, Origin, Profile, insert_person_key,
    session::{Proven, Tokens},
    throttle,
};
use akademi_seal::{PersonKey, hmac};

use crate::{
    Federation,
    store::{self, NewIdentity},
};

/// Somebody whom nobody knows here.
pub struct Newly<'a> {
    pub email: &'a EmailAddress,
    pub email_lookup: &'a [u8; 32],
    pub name: Option<&'a PersonName>,
    pub provider: &'a str,
    pub subject_lookup: &'a [u8; 32],
}

impl Federation {
    /// The keyed hash that an identity is found by within one academy.
    pub fn subject_lookup(&self, tenant: TenantId, issuer: &str, Subject(subject): &Subject) -> [u8; 32] {
        let key = self.vault.derive(&format!("akademi/identity-lookup/1/{tenant}"));
        // Told apart by the first's length: no pair looks like another.
        let length = (issuer.len() as u64).to_be_bytes();
        hmac(&key, &[&length, issuer.as_bytes(), subject.as_bytes()].concat())
    }

    /// Makes an account without a password, and its first session.
    ///
    /// # Errors
    /// `conflict` when somebody has come to the address or the identity meanwhile.
    pub async fn join(
        &self,
        academy: &Academy,
        origin: &Origin,
        newly: Newly<'_>,
    ) -> Result<Tokens, Problem> {
        let ports = &self.edge.ports;
        let now = ports.now();
        let person = UserId::new(now, ports.random());
        let key = PersonKey::from_bytes(ports.random());
        let profile = Profile { name: name_of(&newly)?, email: newly.email.clone() };
        let sealed = profile.seal(&key, person, ports.random())?;
        let newcomer = Newcomer {
            id: person,
            key: &key,
            email_lookup: newly.email_lookup,
            profile: &sealed,
            password_hash: None,
            roles: Role::Student.name(),
            origin,
        };
        let mut batch =
            vec![insert_person_key(person, &self.vault.wrap_key(academy.id, person, &key, ports.random()))];
        batch.extend(newcomer.joins(ports, now)?);
        batch.push(store::insert_identity(NewIdentity {
            id: IdentityId::new(now, ports.random()),
            person,
            provider: newly.provider,
            subject_lookup: newly.subject_lookup,
            now,
        }));
        batch.extend(throttle::forgiven(&[self.throttles.address_tries(b"provider", origin)]));
        let granted = Granted {
            roles: vec![Role::Student],
            permissions: Role::Student.permissions(),
            ..Granted::default()
        };
        let proven =
            Proven { tenant: academy.id, person, key: &key, granted: &granted, origin, by: "provider" };
        let unknown = store::nobody_is_known(newly.email_lookup, newly.subject_lookup);
        self.sessions.start(proven, Some(unknown), batch).await
    }
}

/// The name that the provider gives, or what stands before the address's `@`.
fn name_of(newly: &Newly<'_>) -> Result<PersonName, Problem> {
    if let Some(name) = newly.name {
        return Ok(name.clone());
    }
    let local = newly.email.as_str().split('@').next().unwrap_or_default();
    PersonName::try_from(local.to_owned()).map_err(Problem::broken)
}
