//! Sessions.

use akademi_domain::{
    identity::{SessionFacts, SessionLimits},
    ids::{SessionId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql};
use akademi_identity::{Granted, roles_of_person, session::refresh_token::SessionNonce};

pub struct Session {
    pub person: UserId,
    pub nonce: SessionNonce,
    pub facts: SessionFacts,
    pub person_active: bool,
    pub wrapped_key: Vec<u8>,
    pub granted: Granted,
}

pub async fn find_session(
    database: &TenantDatabase<'_>,
    session: SessionId,
) -> Result<Option<Session>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT session.person_id, nonce, session.generation, rotated_at, session.created_at AS started_at, \
         revoked_at IS NOT NULL AS revoked, person.state = 'active' AS active, \
         session_idle_seconds, session_absolute_seconds, wrapped, ",
        roles_of_person!(),
        " FROM session \
         JOIN person ON person.tenant_id = session.tenant_id AND person.id = session.person_id \
         JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_key.person_id = person.id \
         JOIN tenant ON tenant.id = session.tenant_id \
         WHERE session.tenant_id = ?1 AND session.id = ?2",
    ));
    let row = database.row(SQL.with([session.into()])).await?;
    row.map(|row| {
        let nonce = row.blob(1)?.try_into().map_err(|_| StoreError::Engine("a nonce has 16 bytes".into()))?;
        Ok(Session {
            person: row.parse(0)?,
            nonce,
            facts: SessionFacts {
                generation: row.integer(2)?,
                rotated_at: row.timestamp(3)?,
                created_at: row.timestamp(4)?,
                revoked: row.boolean(5)?,
                limits: SessionLimits { idle_seconds: row.integer(7)?, absolute_seconds: row.integer(8)? },
            },
            person_active: row.boolean(6)?,
            wrapped_key: row.blob(9)?.to_vec(),
            granted: Granted::read(&row, 10)?,
        })
    })
    .transpose()
}

/// Moves the session from `generation` to the next, unless somebody else has.
pub async fn rotate_session(
    database: &TenantDatabase<'_>,
    session: SessionId,
    generation: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE session SET generation = generation + 1, rotated_at = ?4 \
         WHERE tenant_id = ?1 AND id = ?2 AND generation = ?3 AND revoked_at IS NULL RETURNING generation",
    );
    let rows = database.batch(vec![SQL.with([session.into(), generation.into(), now.into()])]).await?;
    Ok(rows.first().is_some_and(|rows| !rows.is_empty()))
}
