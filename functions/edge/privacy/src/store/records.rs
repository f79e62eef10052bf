//! What the edge keeps of somebody.

use akademi_domain::ids::UserId;
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql};
use serde_json::Value;

macro_rules! records {
    ($($table:literal: $object:literal, $rest:literal;)+) => {
        &[$(($table, TenantSql::new(concat!(
            "SELECT json_group_array(json_object(", $object, ")) AS records FROM (SELECT * FROM ", $table,
            " WHERE tenant_id = ?1 AND ", $rest, ")"
        )))),+]
    };
}

/// By table. What is sealed comes in hex under the name `sealed`.
pub const RECORDS: &[(&str, TenantSql)] = records! {
    "person": "'id', id, 'sealed', hex(profile), 'state', state, 'second_factor', totp_secret IS NOT NULL, \
        'created_at', created_at", "id = ?2";
    "role_assignment": "'role', role", "person_id = ?2 ORDER BY role";
    "session": "'id', id, 'device', device, 'country', country, 'created_at', created_at, 'rotated_at', rotated_at, \
        'authenticated_at', authenticated_at, 'revoked_at', revoked_at", "person_id = ?2 ORDER BY created_at";
    "identity": "'id', id, 'provider', provider, 'created_at', created_at", "person_id = ?2 ORDER BY created_at";
    "passkey": "'id', id, 'sealed', hex(name), 'host', host, 'created_at', created_at, 'last_used_at', last_used_at",
        "person_id = ?2 ORDER BY created_at";
    "cart_item": "'kind', kind, 'item', item, 'added_at', added_at", "cart_id = ?2 ORDER BY added_at";
    "address": "'id', id, 'sealed', hex(address), 'is_default', is_default, 'created_at', created_at",
        "person_id = ?2 ORDER BY created_at";
    "consent": "'kind', kind, 'number', number, 'version', version, 'language', language, 'digest', hex(digest), \
        'given', given, 'sealed', hex(origin), 'at', at", "person_id = ?2 ORDER BY kind, number";
    "enrolment": "'id', id, 'course_id', course_id, 'source', source, 'created_at', created_at, \
        'completed_at', completed_at", "person_id = ?2 ORDER BY created_at";
    "progress": "'course_id', course_id, 'lesson_id', lesson_id, 'watched', hex(watched), 'seconds', seconds, \
        'position_seconds', position_seconds, 'position_at', position_at, 'refused_seconds', refused_seconds, \
        'refusals', json(refusals), 'opened_at', opened_at, 'score_points', score_points, 'score_max', score_max, \
        'attempts', attempts, 'marked_at', marked_at, 'completed_at', completed_at, 'updated_at', updated_at", "person_id = ?2 ORDER BY updated_at";
    "certificate": "'serial', serial, 'course_id', course_id, 'title', title, 'sealed', hex(holder), \
        'completed_at', completed_at, 'issued_at', issued_at, 'revoked_at', revoked_at",
        "person_id = ?2 ORDER BY issued_at";
    "review": "'id', id, 'course_id', course_id, 'stars', stars, 'text', text, 'state', state, \
        'hidden_reason', hidden_reason, 'hidden_note', hidden_note, 'hidden_at', hidden_at, 'created_at', created_at, \
        'updated_at', updated_at", "person_id = ?2 ORDER BY id";
    "review_report": "'review_id', review_id, 'reason', reason, 'created_at', created_at, 'settled_at', settled_at",
        "person_id = ?2 ORDER BY created_at";
    "course_like": "'course_id', course_id, 'created_at', created_at", "person_id = ?2 ORDER BY created_at";
    "activation_use": "'batch_id', batch_id, 'code_number', code_number, 'used_at', used_at",
        "person_id = ?2 ORDER BY used_at";
};

/// The rows of one of [`RECORDS`], as objects.
pub async fn list_records(
    database: &TenantDatabase<'_>,
    statement: TenantSql,
    person: UserId,
) -> Result<Vec<Value>, StoreError> {
    let row = database.row(statement.with([person.into()])).await?;
    let records = row.as_ref().map_or(Ok("[]"), |row| row.text(0))?;
    serde_json::from_str(records).map_err(|error| StoreError::Engine(error.to_string()))
}
