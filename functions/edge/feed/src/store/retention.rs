//! What a night takes away, and whom it tells again of.

use akademi_domain::{
    retention::{
        ANSWERS, BACKUPS, CONSENTS, DELIVERIES, DOMAIN_CLAIMS, GUEST_CARTS, LINKS, PASSKEY_CHALLENGES,
        PENDING_PEOPLE, PROVIDER_DELETIONS, PROVIDER_SIGN_INS, SESSIONS, THROTTLES, TOMBSTONES,
        TRUSTED_THROTTLES,
    },
    time::Timestamp,
};
use akademi_edge_store::{TenantSql, TenantStatement};

/// One step deletes so many rows of a table at most; the next night goes on.
macro_rules! delete {
    ($table:literal, $keys:literal, $condition:literal) => {
        TenantSql::new(concat!(
            "DELETE FROM ",
            $table,
            " WHERE tenant_id = ?1 AND (",
            $keys,
            ") IN (SELECT ",
            $keys,
            " FROM ",
            $table,
            " WHERE tenant_id = ?1 AND ",
            $condition,
            " LIMIT 1000)"
        ))
    };
}

/// The statements that delete what the academy need not keep any longer at `now`.
pub fn delete_what_is_due(now: Timestamp) -> Vec<TenantStatement> {
    vec![
        delete_keys_of_pending(PENDING_PEOPLE.ends(now)),
        delete_pending(PENDING_PEOPLE.ends(now)),
        delete_links(LINKS.ends(now)),
        delete_sessions(SESSIONS.ends(now)),
        delete_throttles(THROTTLES.ends(now), TRUSTED_THROTTLES.ends(now), now),
        delete_recovery_codes(),
        delete_provider_sign_ins(PROVIDER_SIGN_INS.ends(now)),
        delete_passkey_challenges(PASSKEY_CHALLENGES.ends(now)),
        delete_provider_deletions(PROVIDER_DELETIONS.ends(now)),
        delete_guest_carts(GUEST_CARTS.ends(now)),
        delete_domain_claims(DOMAIN_CLAIMS.ends(now)),
        delete_answers(ANSWERS.ends(now)),
        delete_deliveries(DELIVERIES.ends(now)),
        delete_consents(CONSENTS.ends(now)),
        delete_tombstones(TOMBSTONES.ends(now)),
    ]
}

/// The same people as [`delete_pending`], if it comes before.
fn delete_keys_of_pending(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "DELETE FROM person_key WHERE tenant_id = ?1 AND person_id IN (SELECT person_id FROM pending_person \
         WHERE tenant_id = ?1 AND expires_at <= ?2 ORDER BY expires_at, id LIMIT 1000) \
         AND NOT EXISTS (SELECT 1 FROM person WHERE person.tenant_id = ?1 AND person.id = person_key.person_id)",
    );
    SQL.with([before.into()])
}

fn delete_pending(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!("pending_person", "id", "expires_at <= ?2 ORDER BY expires_at, id");
    SQL.with([before.into()])
}

fn delete_links(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!("one_time_link", "id", "expires_at <= ?2");
    SQL.with([before.into()])
}

/// Those that were ended, and those that ran out.
fn delete_sessions(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!(
        "session",
        "id",
        "(revoked_at <= ?2 \
         OR rotated_at + (SELECT session_idle_seconds FROM tenant WHERE id = ?1) * 1000 <= ?2 \
         OR created_at + (SELECT session_absolute_seconds FROM tenant WHERE id = ?1) * 1000 <= ?2)"
    );
    SQL.with([before.into()])
}

fn delete_throttles(before: Timestamp, trusted_before: Timestamp, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!(
        "throttle",
        "key",
        "refused_until <= ?4 AND failed_at <= CASE trusted WHEN 1 THEN ?3 ELSE ?2 END"
    );
    SQL.with([before.into(), trusted_before.into(), now.into()])
}

fn delete_recovery_codes() -> TenantStatement {
    const SQL: TenantSql = delete!(
        "recovery_code",
        "person_id, hash",
        "person_id IN (SELECT id FROM person WHERE tenant_id = ?1 AND totp_secret IS NULL)"
    );
    SQL.with([])
}

fn delete_provider_sign_ins(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!("provider_sign_in", "browser", "expires_at <= ?2");
    SQL.with([before.into()])
}

fn delete_passkey_challenges(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!("passkey_challenge", "challenge", "expires_at <= ?2");
    SQL.with([before.into()])
}

fn delete_provider_deletions(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!("provider_deletion", "code", "deleted_at <= ?2");
    SQL.with([before.into()])
}

/// What is in them goes with them.
fn delete_guest_carts(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!("cart", "id", "person_id IS NULL AND changed_at <= ?2");
    SQL.with([before.into()])
}

fn delete_domain_claims(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!("domain_claim", "host", "created_at <= ?2");
    SQL.with([before.into()])
}

fn delete_answers(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!("idempotency", "person_id, route, key", "created_at <= ?2");
    SQL.with([before.into()])
}

fn delete_deliveries(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql =
        delete!("delivery", "person_id, lesson_id, session_id, from_second", "delivered_at <= ?2");
    SQL.with([before.into()])
}

/// Of people erased so long ago.
fn delete_consents(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!(
        "consent",
        "person_id, kind, number",
        "person_id IN (SELECT person_id FROM tombstone WHERE tenant_id = ?1 AND erased_at <= ?2)"
    );
    SQL.with([before.into()])
}

fn delete_tombstones(before: Timestamp) -> TenantStatement {
    const SQL: TenantSql = delete!(
        "tombstone",
        "person_id",
        "erased_at <= ?2 AND NOT EXISTS (SELECT 1 FROM consent \
         WHERE consent.tenant_id = ?1 AND consent.person_id = tombstone.person_id)"
    );
    SQL.with([before.into()])
}

/// Tells the other plane again whom it may find in a backup: `EdgeEvent::PersonErased` for each.
pub fn tell_erasures(now: Timestamp) -> [TenantStatement; 2] {
    const NUMBER: TenantSql = TenantSql::new(
        "UPDATE feed_head SET number = number + \
         (SELECT count(*) FROM tombstone WHERE tenant_id = ?1 AND erased_at > ?2) WHERE id = 1",
    );
    const APPEND: TenantSql = TenantSql::new(
        "INSERT INTO feed_event (number, tenant_id, kind, version, payload, created_at) \
         SELECT feed_head.number + 1 - row_number() OVER (ORDER BY person_id), ?1, 'person_erased', 1, \
         json_object('person', person_id, 'at', strftime('%Y-%m-%dT%H:%M:%SZ', erased_at / 1000, 'unixepoch')), ?3 \
         FROM tombstone JOIN feed_head ON feed_head.id = 1 WHERE tenant_id = ?1 AND erased_at > ?2",
    );
    let since = BACKUPS.ends(now);
    [NUMBER.with([since.into()]), APPEND.with([since.into(), now.into()])]
}
