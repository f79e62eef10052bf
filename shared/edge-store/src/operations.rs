//! What operators do to an edge store: make academies, give roles. Each is a statement list for one batch.

use akademi_domain::{
    ids::{TenantId, UserId},
    permission::Role,
    time::Timestamp,
};
use akademi_feed::EdgeEvent;

use crate::{
    database::Statement,
    outbox::append_event,
    scope::{Platform, TenantSql},
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
    let saved = EdgeEvent::AcademySaved {
        id: academy.id,
        slug: academy.slug.to_owned(),
        name: academy.name.to_owned(),
        locale: academy.locale.to_owned(),
        brand_colour: academy.brand_colour.to_owned(),
        state: "active".to_owned(),
        domains: academy.hosts.iter().map(|&host| host.to_owned()).collect(),
    };
    let mut statements = vec![INSERT_TENANT.with([
        academy.slug.into(),
        academy.name.into(),
        academy.locale.into(),
        academy.brand_colour.into(),
        now.into(),
    ])];
    statements.extend(academy.hosts.iter().map(|&host| INSERT_DOMAIN.with([host.into()])));
    statements.extend(append_event(&saved, now));
    statements.into_iter().map(|statement| Platform::of_tenant(academy.id, statement)).collect()
}

/// The statement that gives a person a role.
pub fn grant_role(tenant: TenantId, person: UserId, role: Role) -> Statement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO role_assignment (tenant_id, person_id, role) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    );
    Platform::of_tenant(tenant, SQL.with([person.into(), role.name().into()]))
}
