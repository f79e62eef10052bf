//! What the gate asks: which academy answers on a host, and whether a session still lives.

use akademi_api::{
    Problem,
    caller::{Academy, AcademyProfile, Caller},
    gate::{Directory, LiveSession},
};
use akademi_domain::{academy::Features, time::Timestamp};
use futures::future::BoxFuture;
use std::sync::Arc;

use crate::{
    database::{Database, StoreError},
    scope::{Platform, PlatformSql, TenantDatabase, TenantSql},
    value::Row,
};

const ACADEMY_BY_HOST: PlatformSql = PlatformSql::new(
    "SELECT tenant.id, slug, name, locale, brand_colour, generation, origins, features_off, \
     watch_rate_percent FROM domain \
     JOIN tenant ON tenant.id = domain.tenant_id WHERE host = ?1 AND state = 'active'",
);

const LIVE_SESSION: TenantSql = TenantSql::new(
    "SELECT authenticated_at, permissions_since FROM session \
     JOIN person ON person.tenant_id = session.tenant_id AND person.id = person_id \
     JOIN tenant ON tenant.id = session.tenant_id \
     WHERE session.tenant_id = ?1 AND session.id = ?2 AND person_id = ?3 AND revoked_at IS NULL \
     AND session.created_at > ?4 - 1000 * session_absolute_seconds AND rotated_at > ?4 - 1000 * session_idle_seconds \
     AND person.state = 'active'",
);

/// The directory in the edge store.
pub struct EdgeDirectory {
    database: Arc<dyn Database>,
}

impl EdgeDirectory {
    pub fn new(database: Arc<dyn Database>) -> Self {
        Self { database }
    }
}

fn academy(row: &Row) -> Result<Academy, StoreError> {
    Ok(Academy {
        id: row.parse(0)?,
        generation: row.integer(5)?,
        profile: Arc::new(AcademyProfile {
            slug: row.text(1)?.to_owned(),
            name: row.text(2)?.to_owned(),
            locale: row.text(3)?.to_owned(),
            brand_colour: row.text(4)?.to_owned(),
            origins: row.text(6)?.split_whitespace().map(str::to_owned).collect(),
            features_off: Features::from_bits(u32::try_from(row.integer(7)?).unwrap_or_default()),
            watch_rate_percent: u32::try_from(row.integer(8)?).unwrap_or_default(),
        }),
    })
}

impl Directory for EdgeDirectory {
    fn academy<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Option<Academy>, Problem>> {
        Box::pin(async move {
            let row = Platform::new(self.database.as_ref()).row(ACADEMY_BY_HOST.with([host.into()])).await?;
            Ok(row.as_ref().map(academy).transpose()?)
        })
    }

    fn live_session<'a>(
        &'a self,
        caller: &'a Caller,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<LiveSession>, Problem>> {
        Box::pin(async move {
            let database = TenantDatabase::new(self.database.as_ref(), caller.tenant);
            let statement = LIVE_SESSION.with([caller.session.into(), caller.user.into(), now.into()]);
            let row = database.row(statement).await?;
            let live = row.map(|row| {
                Ok::<_, StoreError>(LiveSession {
                    authenticated_at: row.timestamp(0)?,
                    permissions_since: row.timestamp(1)?,
                })
            });
            Ok(live.transpose()?)
        })
    }
}
