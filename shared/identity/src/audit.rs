//! What the audit log is told: an event in the batch of the change itself. The other plane chains it.

use akademi_api::{Caller, Ports, Problem};
use akademi_domain::{
    ids::{AuditId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{Edge, TenantStatement, append_event, append_events};
use akademi_feed::EdgeEvent;
use akademi_seal::{PersonKey, Vault};
use serde_json::Value;

use crate::{known::key_of, origin::Origin};

/// Something that the audit log keeps.
pub struct Audit<'a> {
    /// `noun.verb` in the past.
    pub action: &'static str,
    /// Who did it; nobody for what strangers do.
    pub actor: Option<UserId>,
    /// `kind:id`
    pub target: String,
    pub origin: &'a Origin,
    /// For whom the origin is sealed: the actor, or whose account a stranger tried. Without anybody it is not kept.
    pub sealed_for: Option<(UserId, &'a PersonKey)>,
    /// `{"before": …, "after": …}`, without personal data.
    pub change: Option<Value>,
}

impl Audit<'_> {
    /// The statements that have it kept.
    ///
    /// # Errors
    /// `internal`, should the origin not serialise.
    pub fn append(self, ports: &Ports, now: Timestamp) -> Result<[TenantStatement; 2], Problem> {
        Ok(append_event(&self.event(ports, now)?, now))
    }

    fn event(self, ports: &Ports, now: Timestamp) -> Result<EdgeEvent, Problem> {
        let origin = match self.sealed_for {
            Some((person, key)) => {
                let plain = serde_json::to_vec(self.origin).map_err(Problem::broken)?;
                hex::encode(key.seal(person, "audit", &plain, ports.random()))
            }
            None => String::new(),
        };
        Ok(EdgeEvent::Audited {
            id: AuditId::new(now, ports.random()),
            action: self.action.to_owned(),
            actor: self.actor,
            target: self.target,
            origin,
            sealed_for: self.sealed_for.map(|(person, _)| person),
            change: self.change,
            at: now,
        })
    }
}

/// How the audit log calls a person.
pub fn person(id: UserId) -> String {
    format!("person:{id}")
}

/// The statements that tell of what the caller does as one of the staff.
///
/// # Errors
/// Of the store; `internal` for a key that does not open.
pub async fn by_staff(
    edge: &Edge,
    vault: &Vault,
    (caller, origin): (&Caller, &Origin),
    action: &'static str,
    target: String,
    change: Value,
) -> Result<[TenantStatement; 2], Problem> {
    let key = key_of(&edge.tenant(caller.tenant), vault, caller).await?;
    let entry = Audit {
        action,
        actor: Some(caller.user),
        target,
        origin,
        sealed_for: key.as_ref().map(|key| (caller.user, key)),
        change: Some(change),
    };
    entry.append(&edge.ports, edge.ports.now())
}

/// As [`by_staff`], of one action on many things, each with its target and change: as many statements as for one.
///
/// # Errors
/// Those of [`by_staff`].
pub async fn each_by_staff(
    edge: &Edge,
    vault: &Vault,
    (caller, origin): (&Caller, &Origin),
    action: &'static str,
    entries: Vec<(String, Value)>,
) -> Result<[TenantStatement; 2], Problem> {
    let key = key_of(&edge.tenant(caller.tenant), vault, caller).await?;
    let now = edge.ports.now();
    let event = |(target, change): (String, Value)| {
        let sealed_for = key.as_ref().map(|key| (caller.user, key));
        let (actor, change) = (Some(caller.user), Some(change));
        Audit { action, actor, target, origin, sealed_for, change }.event(&edge.ports, now)
    };
    let events = entries.into_iter().map(event).collect::<Result<Vec<_>, _>>()?;
    Ok(append_events(&events, now))
}
