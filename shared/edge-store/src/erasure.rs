//! A person is erased: the batch in which goes what names them.

use akademi_domain::{ids::UserId, time::Timestamp};

use crate::scope::{TenantSql, TenantStatement};

/// Who waits for an account under the person's address.
macro_rules! waiting {
    () => {
        "(SELECT person_id FROM pending_person WHERE tenant_id = ?1 AND (person_id = ?2 OR email_lookup = \
         (SELECT email_lookup FROM person WHERE tenant_id = ?1 AND id = ?2)))"
    };
}

/// The statements that destroy the key, the account and what was learnt, and leave a tombstone. Certificates, used codes and
/// given consents stay, as numbers without a name: what they seal opens no more. A second time they change nothing.
pub fn erase_person(person: UserId, now: Timestamp) -> Vec<TenantStatement> {
    // In this order: the first ones read the person's row. Roles, sessions, links, recovery codes, identities, passkeys,
    // carts and addresses go with it.
    const STATEMENTS: [TenantSql; 18] = [
        TenantSql::new(concat!(
            "DELETE FROM person_key WHERE tenant_id = ?1 AND (person_id = ?2 OR person_id IN ",
            waiting!(),
            ")"
        )),
        TenantSql::new(concat!(
            "DELETE FROM pending_person WHERE tenant_id = ?1 AND person_id IN ",
            waiting!()
        )),
        TenantSql::new(
            "DELETE FROM provider_sign_in WHERE tenant_id = ?1 AND email_lookup = \
             (SELECT email_lookup FROM person WHERE tenant_id = ?1 AND id = ?2)",
        ),
        TenantSql::new(
            "UPDATE tenant SET people = people - 1 \
             WHERE id = ?1 AND EXISTS (SELECT 1 FROM person WHERE tenant_id = ?1 AND id = ?2)",
        ),
        TenantSql::new("DELETE FROM person WHERE tenant_id = ?1 AND id = ?2"),
        // What is counted goes before what it counts.
        TenantSql::new(
            "UPDATE course_figures SET stars_1 = stars_1 - (review.stars = 1), stars_2 = stars_2 - (review.stars = 2), \
             stars_3 = stars_3 - (review.stars = 3), stars_4 = stars_4 - (review.stars = 4), \
             stars_5 = stars_5 - (review.stars = 5) FROM review WHERE course_figures.tenant_id = ?1 \
             AND course_figures.course_id = review.course_id AND review.tenant_id = ?1 AND review.person_id = ?2 \
             AND review.state = 'shown'",
        ),
        TenantSql::new(
            "UPDATE course_figures SET likes = likes - 1 WHERE tenant_id = ?1 AND course_id IN \
             (SELECT course_id FROM course_like WHERE tenant_id = ?1 AND person_id = ?2)",
        ),
        TenantSql::new(
            "UPDATE tenant SET generation = generation + 1 WHERE id = ?1 \
             AND EXISTS (SELECT 1 FROM review WHERE tenant_id = ?1 AND person_id = ?2 AND state = 'shown')",
        ),
        TenantSql::new("DELETE FROM review WHERE tenant_id = ?1 AND person_id = ?2"),
        TenantSql::new("DELETE FROM review_report WHERE tenant_id = ?1 AND person_id = ?2"),
        TenantSql::new("DELETE FROM course_like WHERE tenant_id = ?1 AND person_id = ?2"),
        TenantSql::new("DELETE FROM enrolment WHERE tenant_id = ?1 AND person_id = ?2"),
        TenantSql::new("DELETE FROM progress WHERE tenant_id = ?1 AND person_id = ?2"),
        TenantSql::new("DELETE FROM delivery WHERE tenant_id = ?1 AND person_id = ?2"),
        TenantSql::new("DELETE FROM learner_clock WHERE tenant_id = ?1 AND person_id = ?2"),
        TenantSql::new("DELETE FROM spent_coupon WHERE tenant_id = ?1 AND person_id = ?2"),
        TenantSql::new("DELETE FROM idempotency WHERE tenant_id = ?1 AND person_id = ?2"),
        TenantSql::new(
            "UPDATE certificate SET holder = NULL WHERE tenant_id = ?1 AND person_id = ?2 AND holder IS NOT NULL",
        ),
    ];
    const BURY: TenantSql = TenantSql::new(
        "INSERT INTO tombstone (tenant_id, person_id, erased_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    );
    let mut statements: Vec<_> = STATEMENTS.iter().map(|sql| sql.with([person.into()])).collect();
    statements.push(BURY.with([person.into(), now.into()]));
    statements
}
