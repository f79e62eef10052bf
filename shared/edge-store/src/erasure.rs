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
    // In this order: the first ones read the person's row. Roles, sessions, links, recovery codes, identities and passkeys go with
    // it.
    const STATEMENTS: [TenantSql; 11] = [
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
        TenantSql::new("DELETE FROM enrolment WHERE tenant_id = ?1 AND person_id = ?2"),
        TenantSql::new("DELETE FROM progress WHERE tenant_id = ?1 AND person_id = ?2"),
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
