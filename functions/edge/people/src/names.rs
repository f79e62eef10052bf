//! The index that names are found by, made of what stands in the store sealed.
//!
//! It is made here and not where people come or change their names: of an academy whose staff never searches nothing is
//! kept, no other function needs to know of it, and who was there before it is found like everybody else.

use akademi_api::Problem;
use akademi_domain::{ids::TenantId, name_search::prefixes};
use akademi_identity::Profile;

use crate::{People, store};

/// How many names are put into the index in one step, and how many steps a search takes at most.
const AT_ONCE: i64 = 250;
const STEPS: usize = 8;

/// The index's numbers of these beginnings of words.
pub fn numbers<'a>(
    people: &People,
    tenant: TenantId,
    prefixes: impl IntoIterator<Item = &'a String>,
) -> Vec<i64> {
    let lookup = people.vault.name_lookup(tenant);
    prefixes.into_iter().map(|prefix| lookup.of(prefix)).collect()
}

/// Puts the names of whoever has come or changed theirs into the index.
///
/// # Errors
/// 503 when that were more than one request can wait for: each one brings it further. Of the store.
pub async fn index(people: &People, tenant: TenantId) -> Result<(), Problem> {
    let database = people.edge.tenant(tenant);
    for _ in 0..STEPS {
        let unindexed = store::list_unindexed(&database, AT_ONCE).await?;
        let is_last = (unindexed.len() as i64) < AT_ONCE;
        if unindexed.is_empty() {
            return Ok(());
        }
        let lookup = people.vault.name_lookup(tenant);
        let mut names = Vec::with_capacity(unindexed.len());
        for person in unindexed {
            let key =
                people.vault.unwrap_key(tenant, person.id, &person.wrapped_key).map_err(Problem::broken)?;
            let name = Profile::open(&key, person.id, &person.profile)?.name;
            let numbers: Vec<_> = prefixes(&name).iter().map(|prefix| lookup.of(prefix)).collect();
            names.push((person.id, person.version, numbers));
        }
        let names = serde_json::to_string(&names).map_err(Problem::broken)?;
        database.batch(store::index_names(&names).into()).await?;
        if is_last {
            return Ok(());
        }
    }
    Err(Problem::unavailable()
        .with_detail(
            "Many people are new here: their names are made ready for searching. Try again in a moment.",
        )
        .retry_after(1))
}
