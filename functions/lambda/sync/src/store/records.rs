//! What this plane keeps of somebody.

use akademi_domain::ids::UserId;
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use serde_json::Value;

macro_rules! records {
    ($($table:literal: $select:literal;)+) => {
        &[$(($table, concat!(
            "SELECT COALESCE(jsonb_agg(to_jsonb(record)), '[]') FROM (", $select, ") AS record"
        ))),+]
    };
}

/// By table. What is sealed comes in hex under the name `sealed`.
pub const RECORDS: &[(&str, &str)] = records! {
    "person": "SELECT id, state, updated_at FROM person WHERE tenant_id = $1 AND id = $2";
    "enrolment": "SELECT id, course_id, source, created_at, completed_at FROM enrolment
        WHERE tenant_id = $1 AND user_id = $2 ORDER BY created_at";
    "progress_summary": "SELECT course_id, lesson_id, seconds, permille, refused_seconds, score_points, score_max,
        completed_at, updated_at FROM progress_summary WHERE tenant_id = $1 AND user_id = $2 ORDER BY updated_at";
    "watched_day": "SELECT day, course_id, seconds, refused_seconds FROM watched_day
        WHERE tenant_id = $1 AND user_id = $2 ORDER BY day";
    "learning_day": "SELECT day, course_id, enrolments, completions, certificates, revocations, watched_seconds,
        refused_seconds, active FROM learning_day WHERE tenant_id = $1 AND user_id = $2 ORDER BY day";
    "paid_day": "SELECT day, course_id, currency, amount FROM paid_day WHERE tenant_id = $1 AND user_id = $2 ORDER BY day";
    "customer_order": "SELECT id, state, currency, subtotal, discount, total, vat, created_at, expires_at, paid_at,
        (SELECT jsonb_agg(jsonb_build_object('kind', kind, 'subject_id', subject_id, 'state', part.state)) FROM reservation AS part
         WHERE part.tenant_id = $1 AND part.holder_id = customer_order.id) AS reservations,
        (SELECT jsonb_agg(jsonb_build_object('course_id', course_id, 'title', title, 'price', price, 'discount', discount,
         'total', total, 'vat', vat) ORDER BY place) FROM order_line AS line
         WHERE line.tenant_id = $1 AND line.order_id = customer_order.id) AS lines,
        (SELECT jsonb_agg(jsonb_build_object('id', id, 'provider', provider, 'state', state, 'amount', amount, 'currency',
         currency, 'total_paid', total_paid, 'created_at', created_at) ORDER BY created_at) FROM payment AS attempt
         WHERE attempt.tenant_id = $1 AND attempt.order_id = customer_order.id) AS payments
        FROM customer_order WHERE tenant_id = $1 AND user_id = $2 ORDER BY created_at";
    "refund": "SELECT refund.id, order_id, refund.state, amount, refund.currency, refund.created_at, refund.updated_at
        FROM refund JOIN customer_order ON customer_order.tenant_id = $1 AND customer_order.id = order_id
        WHERE refund.tenant_id = $1 AND user_id = $2 ORDER BY refund.created_at";
    "invoice": "SELECT id, order_id, refund_id, state, number, profile, currency, total, vat, returned, created_at, issued_at,
        delivered_at, EXISTS (SELECT FROM invoice_key AS key WHERE key.tenant_id = $1 AND key.year = invoice.year) AS is_readable
        FROM invoice WHERE tenant_id = $1
        AND order_id IN (SELECT id FROM customer_order WHERE tenant_id = $1 AND user_id = $2) ORDER BY created_at, id";
    "invoice_details": "SELECT order_id, encode(sealed_details, 'hex') AS sealed, updated_at FROM invoice_details
        WHERE tenant_id = $1
        AND order_id IN (SELECT id FROM customer_order WHERE tenant_id = $1 AND user_id = $2) ORDER BY order_id";
    "budget": "SELECT kind, subject_id, ceiling, held, used FROM budget WHERE tenant_id = $1 AND person_id = $2
        ORDER BY kind, subject_id";
    "certificate": "SELECT serial, course_id, course_title, encode(sealed_holder, 'hex') AS sealed, completed_at, issued_at,
        revoked_at FROM certificate WHERE tenant_id = $1 AND user_id = $2 ORDER BY issued_at";
    "mail": "SELECT id, kind, encode(sealed_recipient, 'hex') AS sealed, order_id, host, locale, state, created_at, sent_at FROM mail
        WHERE tenant_id = $1 AND person_id = $2 ORDER BY created_at";
    "audit_entry": "SELECT id, at, action, target, change,
        CASE WHEN sealed_for = $2 THEN encode(origin, 'hex') END AS sealed FROM audit_entry
        WHERE tenant_id = $1 AND (actor = $2 OR sealed_for = $2 OR target = 'person:' || $2::text) ORDER BY number";
    "upload": "SELECT id, file_name, kind, bytes, state, created_at, completed_at FROM upload
        WHERE tenant_id = $1 AND user_id = $2 ORDER BY created_at";
    "course_import": "SELECT id, file_name, bytes, created_at FROM course_import
        WHERE tenant_id = $1 AND user_id = $2 ORDER BY created_at";
};

/// The rows of one of [`RECORDS`], as objects.
pub async fn list_records(
    tx: &mut TenantTransaction,
    statement: &'static str,
    person: UserId,
) -> Result<Vec<Value>, StoreError> {
    let rows: sqlx::types::Json<Vec<Value>> = sqlx::query_scalar(statement)
        .bind(tx.tenant().as_uuid())
        .bind(person.as_uuid())
        .fetch_one(tx.connection())
        .await?;
    Ok(rows.0)
}

/// Somebody's key, as this plane wraps it.
pub async fn find_person_key(
    tx: &mut TenantTransaction,
    person: UserId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let wrapped = sqlx::query_scalar("SELECT wrapped FROM person_key WHERE tenant_id = $1 AND user_id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(person.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    Ok(wrapped)
}
