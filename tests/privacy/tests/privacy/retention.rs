//! What need not be kept any longer goes in the night, and what is younger stays.

use akademi_domain::{
    retention::{
        ANSWERS, CALLBACKS, CONSENTS, DELIVERIES, DOMAIN_CLAIMS, GUEST_CARTS, IMAGES, IMPORTS,
        INVOICE_DETAILS, INVOICE_KEYS, JOBS, LINKS, MAILS, PASSKEY_CHALLENGES, PENDING_PEOPLE,
        PROVIDER_DELETIONS, PROVIDER_SIGN_INS, QUARANTINE, RECOVERY_CODES, RULES, Rule, SESSIONS, THROTTLES,
        TOMBSTONES, TRUSTED_THROTTLES, UPLOADS,
    },
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::feed;

use crate::world::{EMAIL, NAME, World};

const HOUR: i64 = 3600;

/// The moments before and after a rule's end, in milliseconds.
fn around(rule: Rule, now: Timestamp) -> [i64; 2] {
    let end = rule.ends(now);
    [end.plus_seconds(-HOUR).as_millis(), end.plus_seconds(HOUR).as_millis()]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_edge_deletes_what_is_due_and_keeps_what_is_younger() {
    let world = World::new().await;
    let (_, id) = world.join(NAME, EMAIL).await;
    let (tenant, now) = (world.tenant, world.local.edge.ports.now());
    let far = now.plus_seconds(1000 * 24 * HOUR).as_millis();
    for (number, name) in [(0, "old"), (1, "young")] {
        let at = |rule| around(rule, now)[number];
        for sql in [
            format!("INSERT INTO person_key VALUES ('{tenant}', 'p{name}', x'00')"),
            format!(
                "INSERT INTO pending_person VALUES ('{tenant}', '{name}', 'p{name}', x'0{number}', x'00', NULL, '', {}, 0, '[]', NULL)",
                at(PENDING_PEOPLE)
            ),
            format!("INSERT INTO one_time_link VALUES ('{tenant}', '{name}', '{id}', {}, NULL)", at(LINKS)),
            format!("INSERT INTO throttle VALUES ('{tenant}', x'a{number}', 3, {}, 0, 0)", at(THROTTLES)),
            format!(
                "INSERT INTO throttle VALUES ('{tenant}', x'b{number}', 3, {}, 0, 1)",
                at(TRUSTED_THROTTLES)
            ),
            format!(
                "INSERT INTO session (tenant_id, id, person_id, nonce, generation, device, created_at, rotated_at, revoked_at) VALUES ('{tenant}', 'ended {name}', '{id}', x'00', 0, '', {far}, {far}, {})",
                at(SESSIONS)
            ),
            format!(
                "INSERT INTO session (tenant_id, id, person_id, nonce, generation, device, created_at, rotated_at) SELECT id, 'idle {name}', '{id}', x'00', 0, '', {far}, {} - session_idle_seconds * 1000 FROM tenant",
                at(SESSIONS)
            ),
            format!(
                "INSERT INTO provider_sign_in VALUES ('{tenant}', x'0{number}', 'p', 'i', 0, 'u', '/', NULL, NULL, NULL, {})",
                at(PROVIDER_SIGN_INS)
            ),
            format!(
                "INSERT INTO passkey_challenge VALUES ('{tenant}', x'0{number}', NULL, {})",
                at(PASSKEY_CHALLENGES)
            ),
            format!(
                "INSERT INTO provider_deletion VALUES ('{tenant}', '{name}', 'fb', {})",
                at(PROVIDER_DELETIONS)
            ),
            format!("INSERT INTO cart VALUES ('{tenant}', '{name}', NULL, {})", at(GUEST_CARTS)),
            format!("INSERT INTO cart_item VALUES ('{tenant}', '{name}', 'coupon', 'bahar', 0)"),
            format!(
                "INSERT INTO domain_claim VALUES ('{tenant}', '{name}.example', 'c', {})",
                at(DOMAIN_CLAIMS)
            ),
            format!(
                "INSERT INTO idempotency VALUES ('{tenant}', '{id}', 'r', '{name}', x'00', 200, '[]', x'00', {})",
                at(ANSWERS)
            ),
            format!(
                "INSERT INTO delivery VALUES ('{tenant}', '{id}', '{name}', 's', 0, 6, {})",
                at(DELIVERIES)
            ),
            format!("INSERT INTO tombstone VALUES ('{tenant}', '{name}', {})", at(CONSENTS)),
            format!(
                "INSERT INTO consent VALUES ('{tenant}', '{name}', 'kvkk', 1, 1, 'tr', x'00', 1, x'00', 0)"
            ),
        ] {
            world.edge_execute(sql).await;
        }
    }
    // However old, somebody's own stays.
    world.edge_execute(format!("INSERT INTO cart VALUES ('{tenant}', '{id}', '{id}', 0)")).await;
    world.edge_execute(format!("INSERT INTO recovery_code VALUES ('{tenant}', '{id}', x'00')")).await;
    world.edge_execute(format!("INSERT INTO throttle VALUES ('{tenant}', x'c0', 30, 0, {far}, 0)")).await;
    world.night().await;
    let mut deleted = Vec::new();
    for (rule, table, old, young) in [
        (PENDING_PEOPLE, "pending_person", "id = 'old'", "id = 'young'"),
        (PENDING_PEOPLE, "person_key", "person_id = 'pold'", "person_id = 'pyoung'"),
        (LINKS, "one_time_link", "id = 'old'", "id = 'young'"),
        (THROTTLES, "throttle", "key = x'a0'", "key = x'a1'"),
        (TRUSTED_THROTTLES, "throttle", "key = x'b0'", "key = x'b1'"),
        (THROTTLES, "throttle", "false", "key = x'c0'"),
        (SESSIONS, "session", "id = 'ended old'", "id = 'ended young'"),
        (SESSIONS, "session", "id = 'idle old'", "id = 'idle young'"),
        (PROVIDER_SIGN_INS, "provider_sign_in", "browser = x'00'", "browser = x'01'"),
        (PASSKEY_CHALLENGES, "passkey_challenge", "challenge = x'00'", "challenge = x'01'"),
        (PROVIDER_DELETIONS, "provider_deletion", "code = 'old'", "code = 'young'"),
        (GUEST_CARTS, "cart", "id = 'old'", "id = 'young'"),
        (GUEST_CARTS, "cart_item", "cart_id = 'old'", "cart_id = 'young'"),
        (GUEST_CARTS, "cart", "false", "person_id IS NOT NULL"),
        (DOMAIN_CLAIMS, "domain_claim", "host = 'old.example'", "host = 'young.example'"),
        (DELIVERIES, "delivery", "lesson_id = 'old'", "lesson_id = 'young'"),
        (ANSWERS, "idempotency", "key = 'old'", "key = 'young'"),
        (CONSENTS, "consent", "person_id = 'old'", "person_id = 'young'"),
        (TOMBSTONES, "tombstone", "person_id = 'old'", "person_id = 'young'"),
        (RECOVERY_CODES, "recovery_code", "hash = x'00'", "hash = x'01' OR true LIMIT 0"),
    ] {
        assert_eq!(world.edge_count(table, old).await, 0, "{table}: {old}");
        if table != "recovery_code" {
            assert_eq!(world.edge_count(table, young).await, 1, "{table}: {young}");
        }
        deleted.push(rule.what);
    }
    // Who has an account keeps their key and their sign-in.
    assert_eq!(world.edge_count("person_key", &format!("person_id = '{id}'")).await, 1);
    // Of the next test; functions/lambda/etl has images.
    let here = [MAILS, JOBS, IMAGES, IMPORTS, UPLOADS, INVOICE_DETAILS, QUARANTINE, CALLBACKS, INVOICE_KEYS];
    let here = here.map(|rule| rule.what);
    let covered =
        |rule: &Rule| deleted.contains(&rule.what) || here.contains(&rule.what) || rule.what == "backup";
    assert!(RULES.iter().all(covered), "a rule is tried in no test");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_delete_what_is_due_and_keep_what_is_younger() {
    let world = World::new().await;
    let (tenant, now) = (world.tenant, world.local.edge.ports.now());
    world.books_execute("DELETE FROM mail; DELETE FROM job").await;
    for number in [0, 1] {
        let at = |rule| around(rule, now)[number];
        let id = format!("01890000-0000-7000-8000-00000000000{number}");
        for sql in [
            format!(
                "INSERT INTO mail (tenant_id, id, kind, person_id, sealed_recipient, host, locale, state, created_at, queued_at, sent_at) VALUES ('{tenant}', '{id}', 'invitation', '{id}', '', 'h', 'tr', 'sent', {0}, 0, 1)",
                at(MAILS)
            ),
            format!(
                "INSERT INTO job (id, tenant_id, kind, payload, state, max_attempts, due_at, created_at, updated_at) VALUES ('{id}', '{tenant}', 'k', '1', 'done', 1, 0, 0, {})",
                at(JOBS)
            ),
            format!("INSERT INTO course_import VALUES ('{tenant}', '{id}', '{id}', 'f', 1, {})", at(IMPORTS)),
            format!(
                "INSERT INTO upload (tenant_id, id, user_id, file_name, kind, bytes, part_bytes, state, created_at) VALUES ('{tenant}', '{id}', '{id}', 'f', 'image', 1, 1, 'open', {})",
                at(UPLOADS)
            ),
            format!(
                "INSERT INTO idempotency VALUES ('{tenant}', '{id}', 'r', 'k', '', 'running', 1, 0, NULL, NULL, NULL, {})",
                at(ANSWERS)
            ),
            format!(
                "INSERT INTO feed_quarantine VALUES ('{tenant}', 's', {number}, 'k', 1, '', 'e', {})",
                at(QUARANTINE)
            ),
            format!(
                "INSERT INTO payment_callback VALUES ('{tenant}', 'paytr', '{number}', '', 'verified', NULL, 1, 0, {})",
                at(CALLBACKS)
            ),
            format!(
                "INSERT INTO customer_order (tenant_id, id, user_id, idempotency_key, state, currency, subtotal, discount, total, vat, created_at, expires_at)
                 VALUES ('{tenant}', '{id}', '{id}', 'k', 'expired', 'TRY', 1, 0, 1, 0, 0, 0)"
            ),
            format!("INSERT INTO invoice_details VALUES ('{tenant}', '{id}', '', {})", at(INVOICE_DETAILS)),
            format!("INSERT INTO invoice_key VALUES ('{tenant}', 201{number}, '', {})", at(INVOICE_KEYS)),
            format!("INSERT INTO tombstone VALUES ('{tenant}', '{id}', {})", at(TOMBSTONES)),
        ] {
            world.books_execute(sql).await;
        }
    }
    // However old, what still waits is no job that has ended.
    world
        .books_execute(format!(
            "INSERT INTO job (id, tenant_id, kind, payload, state, max_attempts, due_at, created_at, updated_at)
             VALUES ('01890000-0000-7000-8000-00000000000a', '{tenant}', 'k', '1', 'queued', 1, 0, 0, 0)"
        ))
        .await;
    // However old, whom an invoice is still to name.
    world
        .books_execute(format!(
            "INSERT INTO customer_order (tenant_id, id, user_id, idempotency_key, state, currency, subtotal, discount, total, vat, created_at, expires_at)
             VALUES ('{tenant}', '{tenant}', '{tenant}', 'k', 'expired', 'TRY', 1, 0, 1, 0, 0, 0);
             INSERT INTO invoice (tenant_id, id, order_id, currency, state, reason, created_at, queued_at)
             VALUES ('{tenant}', '{tenant}', '{tenant}', 'TRY', 'failed', 'r', 0, 0);
             INSERT INTO invoice_details VALUES ('{tenant}', '{tenant}', '', 0)"
        ))
        .await;
    assert_eq!(world.night().await, 10);
    for (table, left) in [
        ("mail", 1),
        ("job", 2),
        ("course_import", 1),
        ("upload", 1),
        ("idempotency", 1),
        ("feed_quarantine", 1),
        ("payment_callback", 1),
        ("invoice_details", 2),
        ("invoice_key", 1),
        ("tombstone", 1),
    ] {
        assert_eq!(world.books_count(table, "true").await, left, "{table}");
    }
    assert_eq!(world.night().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_many_nights_is_applied_as_far_as_one_step_goes_and_then_the_rest() {
    let world = World::new().await;
    let now = world.local.edge.ports.now();
    let mut tx = world.database.postgres().tenant(world.tenant).await.unwrap();
    for _ in 0..150 {
        feed::append(&mut tx, &LambdaEvent::RetentionDue { at: now }, now).await.unwrap();
    }
    tx.commit().await.unwrap();
    let before = world.edge_rows("SELECT number FROM feed_cursor").await;
    let before = before.first().map_or(0, |row| row.integer(0).unwrap());
    let carried = world.local.lambda.sync.handle(akademi_sync::Trigger::Wake).await.unwrap();
    assert!(carried.pushed >= 150, "{carried:?}");
    let after = world.edge_rows("SELECT number FROM feed_cursor").await[0].integer(0).unwrap();
    assert_eq!(after - before, i64::try_from(carried.pushed).unwrap());
}

#[test]
fn the_readme_tells_each_rule() {
    let readme = include_str!("../../../../README.md");
    for Rule { what, from, days, why } in RULES {
        assert!(readme.contains(&format!("| `{what}` | {from} | {days} | {why} |")), "{what}, {from}");
    }
}
