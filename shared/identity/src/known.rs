//! A person whose data is open.

use akademi_api::{Caller, Problem};
use akademi_edge_store::TenantDatabase;
use akademi_seal::{PersonKey, Vault};

use crate::{profile::Profile, store};

/// A person whose data is open.
pub struct Known {
    pub person: store::Person,
    pub key: PersonKey,
    pub profile: Profile,
}

impl Known {
    /// The caller.
    ///
    /// # Errors
    /// `session-ended` when the account is gone or suspended.
    pub async fn find(
        database: &TenantDatabase<'_>,
        vault: &Vault,
        caller: &Caller,
    ) -> Result<Self, Problem> {
        let person = store::find_person(database, caller.user).await?;
        let person = person.ok_or_else(Problem::session_ended)?;
        let key =
            vault.unwrap_key(caller.tenant, caller.user, &person.wrapped_key).map_err(Problem::broken)?;
        let profile = Profile::open(&key, caller.user, &person.profile)?;
        Ok(Self { person, key, profile })
    }
}

/// The caller's key; an operator made by hand has none.
///
/// # Errors
/// Of the store; `internal` for a key that does not open.
pub async fn key_of(
    database: &TenantDatabase<'_>,
    vault: &Vault,
    caller: &Caller,
) -> Result<Option<PersonKey>, Problem> {
    let wrapped = store::find_person_key(database, caller.user).await?;
    let unwrap = |wrapped: Vec<u8>| vault.unwrap_key(caller.tenant, caller.user, &wrapped);
    wrapped.map(unwrap).transpose().map_err(Problem::broken)
}
