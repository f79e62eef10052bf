//! What operators do to an edge store: make and suspend academies, give roles. Each is a statement list for one batch.

use akademi_domain::{
    ids::{TenantId, UserId},
    permission::Role,
    time::Timestamp,
};

use crate::{
    database::Statement,
    scope::{Platform, TenantSql, TenantStatement},
};

/// A new academy.
#[derive(Debug, Clone)]
pub struct NewAcademy<'a> {
    pub id: TenantId,
    pub slug: &'a str,
    pub name: &'a str,
    /// `tr` or `en`
    pub locale: &'a str,
    /// `#rrggbb`
    pub brand_colour: &'a str,
    /// Lower case, no port.
    pub hosts: &'a [&'a str],
}

/// The batch that makes an academy and tells the other plane.
pub fn create_academy(academy: &NewAcademy<'_>, now: Timestamp) -> Vec<Statement> {
    const INSERT_TENANT: TenantSql = TenantSql::new(
        "INSERT INTO tenant (id, slug, name, locale, brand_colour, state, generation, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, 'active', 1, ?6)",
    );
    const INSERT_DOMAIN: TenantSql = TenantSql::new("INSERT INTO domain (host, tenant_id) VALUES (?2, ?1)");
    let mut statements = vec![INSERT_TENANT.with([
        academy.slug.into(),
        academy.name.into(),
        academy.locale.into(),
        academy.brand_colour.into(),
        now.into(),
    ])];
    statements.extend(academy.hosts.iter().map(|&host| INSERT_DOMAIN.with([host.into()])));
    statements.extend(tell_academy(now));
    of_tenant(academy.id, statements)
}

/// The batch that suspends an academy and tells the other plane. From then on its hosts are nobody's: whoever asks there is
/// told what they would be told of an academy that never was.
pub fn suspend_academy(tenant: TenantId, now: Timestamp) -> Vec<Statement> {
    let mut statements = vec![set_academy_state(false, None)];
    statements.extend(tell_academy(now));
    of_tenant(tenant, statements)
}

/// Whether the academy answers, and when it is deleted.
pub fn set_academy_state(is_active: bool, delete_at: Option<Timestamp>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE tenant SET state = CASE ?2 WHEN 1 THEN 'active' ELSE 'suspended' END, delete_at = ?3, \
         generation = generation + 1, version = version + 1 WHERE id = ?1",
    );
    SQL.with([i64::from(is_active).into(), delete_at.into()])
}

/// The end of a batch that changed an academy: `EdgeEvent::AcademySaved` from its row as it is then.
pub fn tell_academy(now: Timestamp) -> [TenantStatement; 2] {
    const NEXT_NUMBER: TenantSql =
        TenantSql::new("UPDATE feed_head SET number = number + 1 WHERE id = 1 AND ?1 IS NOT NULL");
    const APPEND: TenantSql = TenantSql::new(
        "INSERT INTO feed_event (number, tenant_id, kind, version, payload, created_at) \
         SELECT number, tenant.id, 'academy_saved', 1, json_object('id', tenant.id, 'slug', slug, 'name', name, \
         'locale', locale, 'brand_colour', brand_colour, 'state', state, 'domains', \
         json((SELECT json_group_array(host) FROM domain WHERE tenant_id = ?1)), \
         'storage_limit', storage_limit, 'features_off', features_off), ?2 \
         FROM feed_head JOIN tenant ON tenant.id = ?1 WHERE feed_head.id = 1",
    );
    [NEXT_NUMBER.with([]), APPEND.with([now.into()])]
}

fn of_tenant(tenant: TenantId, statements: Vec<TenantStatement>) -> Vec<Statement> {
    statements.into_iter().map(|statement| Platform::of_tenant(tenant, statement)).collect()
}

/// The statement that gives a person a role.
pub fn grant_role(tenant: TenantId, person: UserId, role: Role) -> Statement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO role_assignment (tenant_id, person_id, role) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    );
    Platform::of_tenant(tenant, SQL.with([person.into(), role.name().into()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Database, PlatformSql, rusqlite::SqliteFile};
    use akademi_feed::{Decoded, EdgeEvent, Envelope};
    use futures::executor::block_on;

    #[test]
    fn an_academy_is_suspended_and_the_other_plane_learns_of_it() {
        const EVENTS: PlatformSql =
            PlatformSql::new("SELECT number, kind, version, payload FROM feed_event ORDER BY number");
        const TENANTS: PlatformSql = PlatformSql::new("SELECT state, generation FROM tenant ORDER BY slug");
        let now = Timestamp::from_millis(1_790_000_000_000);
        let folder = tempfile::tempdir().unwrap();
        let database = SqliteFile::open(&folder.path().join("edge.sqlite")).unwrap();
        let academy = |id, slug| NewAcademy {
            id,
            slug,
            name: "İğde \"Akademi\"",
            locale: "tr",
            brand_colour: "#0b6e4f",
            hosts: if slug == "a" { &["a.example", "b.example"] } else { &["c.example"] },
        };
        let [suspended, other] = [[1; 10], [2; 10]].map(|random| TenantId::new(now, random));
        for new in [academy(suspended, "a"), academy(other, "b")] {
            block_on(database.batch(create_academy(&new, now))).unwrap();
        }
        block_on(database.batch(suspend_academy(suspended, now))).unwrap();

        let states = block_on(database.query(TENANTS.with([]))).unwrap();
        let states: Vec<_> =
            states.iter().map(|row| (row.text(0).unwrap(), row.integer(1).unwrap())).collect();
        assert_eq!(states, [("suspended", 2), ("active", 1)]);
        let events = block_on(database.query(EVENTS.with([]))).unwrap();
        assert_eq!(events.len(), 3);
        let told = Envelope {
            number: events[2].integer(0).unwrap(),
            tenant: suspended,
            kind: events[2].text(1).unwrap().to_owned(),
            version: events[2].integer(2).unwrap().try_into().unwrap(),
            payload: events[2].text(3).unwrap().to_owned(),
        };
        assert_eq!(told.number, 3);
        let Ok(Decoded::Known(EdgeEvent::AcademySaved { id, name, state, mut domains, .. })) =
            EdgeEvent::decode(&told)
        else {
            panic!("{told:?}");
        };
        domains.sort();
        assert_eq!((id, name.as_str(), state.as_str()), (suspended, "İğde \"Akademi\"", "suspended"));
        assert_eq!(domains, ["a.example", "b.example"]);
    }
}
