//! An academy whose time of grace is over goes for good, in bounded steps.

use akademi_domain::{ids::TenantId, time::Timestamp};
use akademi_edge_store::{Platform, PlatformSql, StoreError, TenantSql, TenantStatement, search_scope};

/// Academies that are to be deleted by `now`.
pub async fn academies_to_delete(
    platform: &Platform<'_>,
    now: Timestamp,
) -> Result<Vec<TenantId>, StoreError> {
    const SQL: PlatformSql =
        PlatformSql::new("SELECT id FROM tenant WHERE state = 'suspended' AND delete_at <= ?1");
    let rows = platform.rows(SQL.with([now.into()])).await?;
    rows.iter().map(|row| row.parse(0)).collect()
}

/// Whoever thought better of it in the meantime keeps the academy.
macro_rules! is_due {
    () => {
        "EXISTS (SELECT 1 FROM tenant WHERE id = ?1 AND state = 'suspended' AND delete_at <= ?2)"
    };
}

macro_rules! deletions {
    ($($table:literal by $keys:literal $(unless $($child:literal)+)?;)+) => {
        #[cfg(test)]
        const TABLES: &[&str] = &[$($table),+];

        /// Of tables with rows of academies, those first that others wait for.
        const DELETIONS: &[TenantSql] = &[$(TenantSql::new(concat!(
            "DELETE FROM ", $table, " WHERE tenant_id = ?1 AND ", is_due!(),
            $($(" AND NOT EXISTS (SELECT 1 FROM ", $child, " WHERE tenant_id = ?1)",)+)?
            " AND (", $keys, ") IN (SELECT ", $keys, " FROM ", $table, " WHERE tenant_id = ?1 LIMIT 5000)"
        ))),+];

        const DELETE_TENANT: TenantSql = TenantSql::new(concat!(
            "DELETE FROM tenant WHERE id = ?1 AND state = 'suspended' AND delete_at <= ?2",
            $(" AND NOT EXISTS (SELECT 1 FROM ", $table, " WHERE tenant_id = ?1)"),+
        ));
    };
}

deletions! {
    "domain" by "host";
    "domain_claim" by "host";
    "person_key" by "person_id";
    "role_assignment" by "person_id, role";
    "session" by "id";
    "one_time_link" by "id";
    "recovery_code" by "person_id, hash";
    "identity" by "id";
    "passkey" by "id";
    "passkey_challenge" by "challenge";
    "person_name_prefix" by "prefix, created_at, person_id";
    "cart_item" by "cart_id, kind, item";
    "cart" by "id" unless "cart_item";
    "address" by "id";
    "person" by "id" unless "cart" "address" "role_assignment" "session" "one_time_link" "recovery_code" "identity" "passkey" "passkey_challenge" "person_name_prefix";
    "role" by "id";
    "pending_person" by "id";
    "throttle" by "key";
    "identity_provider" by "id";
    "provider_sign_in" by "browser";
    "provider_deletion" by "code";
    "lesson" by "course_id, version, id";
    "video" by "asset_id";
    "playlist" by "asset_id, folder, path";
    "delivery" by "person_id, lesson_id, session_id, from_second";
    "answer_key" by "course_id, version, lesson_id";
    "review_report" by "review_id, person_id";
    "review" by "id" unless "review_report";
    "course_like" by "person_id, course_id";
    "course_figures" by "course_id";
    "share_link" by "course_id, source";
    "link_visit" by "course_id, day, source";
    "course" by "id";
    "enrolment" by "person_id, course_id";
    "progress" by "person_id, course_id, lesson_id";
    "learner_clock" by "person_id";
    "price" by "course_id";
    "sold_elsewhere" by "course_id";
    "bundle" by "id";
    "coupon" by "id";
    "spent_coupon" by "person_id, coupon_id";
    "certificate" by "serial";
    "activation_use" by "batch_id, code_number, person_id";
    "activation_code" by "batch_id, number";
    "activation_batch_course" by "batch_id, course_id";
    "activation_batch" by "id" unless "activation_use" "activation_code" "activation_batch_course";
    "idempotency" by "person_id, route, key";
    "tombstone" by "person_id";
    "consent_text" by "kind, version, language";
    "consent" by "person_id, kind, number";
}

/// One step of a deletion, which tells the other plane whether it was the last: `EdgeEvent::AcademyDeleted`.
pub fn delete_academy(tenant: TenantId, now: Timestamp) -> Vec<TenantStatement> {
    const SEARCH: TenantSql = TenantSql::new(concat!(
        "DELETE FROM course_search WHERE tenant_id = ?1 AND ",
        is_due!(),
        " AND rowid IN (SELECT rowid FROM course_search WHERE course_search MATCH ?3 LIMIT 5000)"
    ));
    const NEXT_NUMBER: TenantSql =
        TenantSql::new("UPDATE feed_head SET number = number + 1 WHERE id = 1 AND ?1 IS NOT NULL");
    const APPEND: TenantSql = TenantSql::new(
        "INSERT INTO feed_event (number, tenant_id, kind, version, payload, created_at) \
         SELECT number, ?1, 'academy_deleted', 1, json_object('at', ?3, 'whole', \
         json(CASE WHEN EXISTS (SELECT 1 FROM tenant WHERE id = ?1) THEN 'false' ELSE 'true' END)), ?2 \
         FROM feed_head WHERE id = 1",
    );
    let mut statements =
        vec![SEARCH.with([now.into(), format!("scope:\"{}\"", search_scope(tenant)).into()])];
    statements.extend(DELETIONS.iter().map(|sql| sql.with([now.into()])));
    statements.push(DELETE_TENANT.with([now.into()]));
    statements.push(NEXT_NUMBER.with([]));
    statements.push(APPEND.with([now.into(), now.to_string().into()]));
    statements
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_edge_store::MIGRATIONS;
    use std::collections::BTreeSet;

    #[test]
    fn no_table_of_academies_is_forgotten() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        for migration in MIGRATIONS {
            connection.execute_batch(migration.sql).unwrap();
        }
        let mut tables = connection
            .prepare(
                "SELECT t.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c \
                 WHERE t.schema = 'main' AND t.type = 'table' AND c.name = 'tenant_id' AND t.name NOT LIKE 'sqlite%'",
            )
            .unwrap();
        let tables: BTreeSet<String> =
            tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let listed: BTreeSet<String> = TABLES.iter().map(|table| (*table).to_owned()).collect();
        // What is on its way to the other plane goes when it has come.
        let missing: Vec<_> = tables.difference(&listed).collect();
        assert_eq!(missing, ["feed_event"]);
        assert_eq!(listed.difference(&tables).count(), 0);
    }
}
