//! Keys of people that this plane has just heard of: asked of the edge by a signed call, wrapped under this
//! plane's own master secret. No key enters the feed.

use akademi_domain::ids::{TenantId, UserId};
use akademi_feed::{Batch, Decoded, EdgeEvent};
use akademi_lambda_store::platform::PlatformTransaction;
use akademi_seal::PersonKey;
use bytes::Bytes;
use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Sync, SyncError, store, unexpected};

const TARGET: &str = "/internal/person-keys";

#[derive(Serialize)]
struct KeysWanted {
    people: Vec<PersonRef>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct PersonRef {
    tenant: TenantId,
    person: UserId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysGiven {
    keys: Vec<PersonKeyGiven>,
}

/// A person's key, in hex.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonKeyGiven {
    tenant: TenantId,
    person: UserId,
    key: String,
}

/// The keys of the people whom `batch` names and whose keys are not here.
pub async fn fetch_new(sync: &Sync, batch: &Batch) -> Result<Vec<PersonKeyGiven>, SyncError> {
    let mut named = Vec::new();
    for event in &batch.events {
        // A mail's recipient may be no account yet, and who is audited one that was made before this plane was.
        if let Ok(Decoded::Known(
            EdgeEvent::PersonSaved { person, .. }
            | EdgeEvent::MailWanted { person, .. }
            | EdgeEvent::Audited { sealed_for: Some(person), .. },
        )) = EdgeEvent::decode(event)
        {
            let one = PersonRef { tenant: event.tenant, person };
            if !named.contains(&one) {
                named.push(one);
            }
        }
    }
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let mut people = Vec::new();
    let mut platform = sync.postgres.platform().await?;
    for one in named {
        let tx = platform.tenant(one.tenant).await?;
        if store::lacks_person_key(tx, one.person).await? {
            people.push(one);
        }
    }
    platform.rollback().await?;
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let body =
        serde_json::to_vec(&KeysWanted { people }).map_err(|error| SyncError::Batch(error.to_string()))?;
    let given: KeysGiven = sync
        .call_edge(Method::POST, TARGET, Bytes::from(body))
        .await?
        .map_err(|got| unexpected(got, TARGET))?;
    Ok(given.keys)
}

/// Wraps and stores what [`fetch_new`] got.
pub async fn store(
    platform: &mut PlatformTransaction,
    sync: &Sync,
    keys: &[PersonKeyGiven],
) -> Result<(), SyncError> {
    for PersonKeyGiven { tenant, person, key } in keys {
        let invalid = || SyncError::Batch("a person's key that is none".into());
        let bytes: [u8; 32] =
            hex::decode(key).ok().and_then(|key| key.try_into().ok()).ok_or_else(invalid)?;
        let key = PersonKey::from_bytes(bytes);
        let wrapped = sync.vault.wrap_key(*tenant, *person, &key, sync.ports.random());
        let tx = platform.tenant(*tenant).await?;
        store::save_person_key(tx, *person, &wrapped).await?;
    }
    Ok(())
}
