//! Those who wait for an account because staff asked them.

use akademi_domain::{
    ids::{LinkId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{TenantSql, TenantStatement};
use serde_json::{Value, json};

pub struct NewInvitation<'a> {
    pub link: LinkId,
    pub person: UserId,
    pub email_lookup: [u8; 32],
    pub profile: Vec<u8>,
    pub wrapped_key: Vec<u8>,
    /// Names and ids, separated by commas.
    pub roles: &'a str,
}

/// The statements that put them in the place of earlier ones of the same addresses.
pub fn insert_invitations(
    new: &[NewInvitation<'_>],
    expires_at: Timestamp,
    now: Timestamp,
) -> [TenantStatement; 3] {
    // One parameter for all of them: a statement takes at most 100.
    const WITHDRAW: TenantSql = TenantSql::new(
        "UPDATE pending_person SET expires_at = 0 WHERE tenant_id = ?1 AND password_hash IS NULL \
         AND email_lookup IN (SELECT unhex(value ->> 2) FROM json_each(?2))",
    );
    const INSERT: TenantSql = TenantSql::new(
        "INSERT INTO pending_person (tenant_id, id, person_id, email_lookup, profile, roles, expires_at, created_at) \
         SELECT ?1, value ->> 0, value ->> 1, unhex(value ->> 2), unhex(value ->> 3), value ->> 5, ?3, ?4 \
         FROM json_each(?2)",
    );
    const KEYS: TenantSql = TenantSql::new(
        "INSERT INTO person_key (tenant_id, person_id, wrapped) SELECT ?1, value ->> 1, unhex(value ->> 4) \
         FROM json_each(?2)",
    );
    let rows: Value = new
        .iter()
        .map(|new| {
            let [lookup, profile, key] =
                [new.email_lookup.as_slice(), &new.profile, &new.wrapped_key].map(hex::encode);
            json!([new.link, new.person, lookup, profile, key, new.roles])
        })
        .collect();
    let rows = rows.to_string();
    [
        WITHDRAW.with([rows.as_str().into()]),
        INSERT.with([rows.as_str().into(), expires_at.into(), now.into()]),
        KEYS.with([rows.into()]),
    ]
}
