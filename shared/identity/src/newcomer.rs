//! Somebody becomes one of the academy's people.

use akademi_api::{Ports, Problem};
use akademi_domain::{ids::UserId, time::Timestamp};
use akademi_edge_store::{TenantStatement, append_event};
use akademi_feed::EdgeEvent;
use akademi_seal::PersonKey;
use serde_json::json;

use crate::{
    audit::{self, Audit},
    origin::Origin,
    store::{self, NewPerson},
};

/// Somebody whose address is known to be theirs.
pub struct Newcomer<'a> {
    pub id: UserId,
    pub key: &'a PersonKey,
    pub email_lookup: &'a [u8],
    /// Sealed.
    pub profile: &'a [u8],
    /// None of somebody who signs in elsewhere.
    pub password_hash: Option<String>,
    /// Names and ids, separated by commas.
    pub roles: &'a str,
    pub origin: &'a Origin,
}

impl Newcomer<'_> {
    /// The statements that make a person of them. A person of that address refuses the batch.
    ///
    /// # Errors
    /// `internal`, should the origin not serialise.
    pub fn joins(self, ports: &Ports, now: Timestamp) -> Result<Vec<TenantStatement>, Problem> {
        let new = NewPerson {
            id: self.id,
            email_lookup: self.email_lookup,
            profile: self.profile,
            password_hash: self.password_hash.unwrap_or_default(),
            now,
        };
        let mut batch = vec![store::insert_person(new), store::count_person()];
        let roles = self.roles.split(',').filter(|role| !role.is_empty());
        batch.extend(roles.map(|role| store::assign_role(self.id, role)));
        batch.push(store::forget_others(self.email_lookup, self.id));
        let saved = EdgeEvent::PersonSaved {
            person: self.id,
            profile: hex::encode(self.profile),
            state: "active".into(),
            at: now,
        };
        batch.extend(append_event(&saved, now));
        let made = Audit {
            action: "person.registered",
            actor: Some(self.id),
            target: audit::person(self.id),
            origin: self.origin,
            sealed_for: Some((self.id, self.key)),
            change: Some(json!({ "after": { "roles": self.roles } })),
        };
        batch.extend(made.append(ports, now)?);
        Ok(batch)
    }
}
