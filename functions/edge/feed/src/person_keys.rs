//! `POST /internal/person-keys`: the keys of people that the Lambda plane has just heard of. It wraps them under
//! its own master secret; no key ever enters the feed.

use akademi_api::{Body, Problem};
use akademi_domain::ids::{TenantId, UserId};
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::{Feed, store};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysWanted {
    pub people: Vec<PersonRef>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonRef {
    pub tenant: TenantId,
    pub person: UserId,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysGiven {
    pub keys: Vec<PersonKeyGiven>,
}

/// A key in hex, for the transport that the signed call runs over. Somebody without one was erased.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonKeyGiven {
    pub tenant: TenantId,
    pub person: UserId,
    pub key: String,
}

pub async fn hand_over(
    State(feed): State<Feed>,
    Body(wanted): Body<KeysWanted>,
) -> Result<Body<KeysGiven>, Problem> {
    if wanted.people.len() > akademi_feed::MAX_EVENTS {
        return Err(Problem::field("people", "holds more than 100 people"));
    }
    let mut keys = Vec::with_capacity(wanted.people.len());
    for PersonRef { tenant, person } in wanted.people {
        let Some(wrapped) = store::find_person_key(&feed.edge.tenant(tenant), person).await? else {
            continue;
        };
        let key = feed.vault.unwrap_key(tenant, person, &wrapped).map_err(Problem::broken)?;
        keys.push(PersonKeyGiven { tenant, person, key: hex::encode(key.expose()) });
    }
    Ok(Body(KeysGiven { keys }))
}
