//! Who there is.

use akademi_api::{
    Body, Caller, Problem, QueryParams,
    paging::{Cursor, Limit, Page},
};
use akademi_domain::{identity::EmailAddress, name_search::NameQuery};
use axum::extract::State;
use serde::Deserialize;

use crate::{People, names, person::PersonEntry, store};

/// The query of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Only who has this address.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    email: Option<EmailAddress>,
    /// Only whose name has words that begin so, in any order, with or without Turkish letters. One of them has two letters
    /// or more.
    #[serde(default)]
    #[param(value_type = Option<String>, min_length = 2, max_length = 200)]
    name: Option<NameQuery>,
    /// Only who has this role: a built-in role's name, or an id.
    #[serde(default)]
    #[param(max_length = 36)]
    role: Option<String>,
    /// Only people in this state: `active` or `suspended`.
    #[serde(default)]
    state: Option<store::State>,
    /// How many entries to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// Where the page before ended: its `next_cursor`.
    #[serde(default)]
    cursor: Option<String>,
}

impl Filter {
    /// Whether somebody who was found by address is who is looked for.
    fn fits(&self, found: &store::Found) -> bool {
        self.state.is_none_or(|state| state == found.state)
            && self.role.as_ref().is_none_or(|role| found.granted.names().contains(role))
    }
}

/// The academy's people, newest first
///
/// A page that is asked for by name may hold fewer entries than `limit` and be followed by others.
#[utoipa::path(get, path = "/api/v1/people", tag = "people", params(Filter),
    responses((status = 200, description = "A page of people", body = Page<PersonEntry>)))]
pub async fn list(
    State(people): State<People>,
    caller: Caller,
    QueryParams(filter): QueryParams<Filter>,
) -> Result<Body<Page<PersonEntry>>, Problem> {
    let after = filter.cursor.as_deref().map(Cursor::decode).transpose()?;
    let database = people.edge.tenant(caller.tenant);
    let (wanted, limit) = (store::Wanted { role: filter.role.as_deref(), state: filter.state }, filter.limit);
    let found: Vec<_> = match (&filter.email, &filter.name) {
        (Some(email), _) => {
            let email_lookup = people.vault.email_lookup(caller.tenant, email);
            let found = store::find_by_email(&database, &email_lookup).await?;
            found.into_iter().filter(|found| filter.fits(found)).collect()
        }
        (None, Some(name)) => {
            names::index(&people, caller.tenant).await?;
            let prefixes = names::numbers(&people, caller.tenant, &name.lookups());
            store::find_by_name(&database, &prefixes, &wanted, after, limit.and_one()).await?
        }
        (None, None) => store::list_people(&database, &wanted, after, limit.and_one()).await?,
    };
    let found =
        Page::of(found, limit, |last| Cursor { key: last.created_at.as_millis(), id: last.id.to_string() });
    let mut page = found.try_map(|found| PersonEntry::open(&people, caller.tenant, found))?;
    page.data.retain(|entry| filter.name.as_ref().is_none_or(|name| name.fits(&entry.name)));
    Ok(Body(page))
}
