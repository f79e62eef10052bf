//! What keeps money right, and how each of these is taken away, without touching the code that is tested: on the wire
//! between driver and server, in the schema of the test's own database, or at the provider.

use std::collections::BTreeSet;

/// A protection whose absence the suite must notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// A repeated request is answered from the record of the first.
    IdempotencyRecord,
    /// Whoever changes an order locks its row.
    RowLock,
    /// A person has one order, and one record, under a key.
    UniqueKey,
    /// A callback pays an order only with what was asked.
    AmountCheck,
    /// A payment that is looked at for fraud pays nothing yet.
    FraudReview,
    /// What the edge must hear of is committed with the change.
    OutboxAtomicity,
    /// Events are numbered after their commit, by one publisher.
    PublisherOrder,
    /// A callback is the provider's only if it is signed.
    SignatureCheck,
    /// What one refund has of a payment and its lines, before the provider has answered, no other refund can have.
    Reservation,
    /// A refund that the provider has not answered is asked about, and not told again.
    ToldOnce,
    /// Whoever holds reports against the books takes the account for a while and locks it, and each fee and each payout has
    /// one place in the ledger.
    OneRun,
}

/// What stands in a statement because of a protection. How a statement is laid out does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// What tells the statement from others.
    of: &'static str,
    from: &'static str,
    /// Up to here, inclusive.
    to: &'static str,
    /// What stands there without it.
    without: &'static str,
}

impl Part {
    const fn new(of: &'static str, what: &'static str, without: &'static str) -> Self {
        Self::through(of, what, "", without)
    }

    const fn through(of: &'static str, from: &'static str, to: &'static str, without: &'static str) -> Self {
        Self { of, from, to, without }
    }

    /// The statement without it; `None` if it does not stand there.
    pub fn taken_from(&self, sql: &str) -> Option<String> {
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let (before, rest) = sql.split_once(self.from).filter(|_| sql.contains(self.of))?;
        let after = if self.to.is_empty() { rest } else { rest.split_once(self.to)?.1 };
        Some(format!("{before}{}{after}", self.without))
    }
}

/// A finished request's key is as good as a new one.
const IDEMPOTENCY_RECORD: &[Part] = &[
    Part::new("INSERT INTO idempotency", "known.state = 'running'", "true OR known.state = 'running'"),
    Part::new("INSERT INTO idempotency", "DO UPDATE SET", "DO UPDATE SET state = 'running',"),
    Part::new("INSERT INTO idempotency", "NOT EXISTS (SELECT FROM before WHERE state = 'done')", "true"),
];
const ROW_LOCK: &[Part] = &[Part::new("FROM customer_order", "FOR UPDATE", "")];
/// Without the key the clause names nothing that could conflict.
const UNIQUE_KEY: &[Part] =
    &[Part::through("INSERT INTO idempotency", "ON CONFLICT", "RETURNING", "RETURNING")];
/// The budget is whatever is wanted, and only what is done counts as given back of a line.
const RESERVATION: &[Part] = &[
    Part::new("INSERT INTO reservation", "<= budget.ceiling", "<= budget.ceiling OR true"),
    Part::new("FROM refund_line", "state <> 'refused'", "state = 'done'"),
];
/// Nobody remembers that it was told.
const TOLD_ONCE: &[Part] = &[Part::new("UPDATE refund SET", "SET sent_at =", "SET sent_at = NULL::bigint +")];
/// Whoever comes may hold reports against the books, at once with others.
const ONE_RUN: &[Part] = &[
    Part::new("LEFT JOIN reconciliation", "OR tried_at <=", "OR 0 * tried_at <="),
    Part::new("INSERT INTO reconciliation AS known", "known.tried_at <=", "0 * known.tried_at <="),
    Part::new("FROM reconciliation WHERE", "FOR UPDATE", ""),
];

impl Protection {
    pub const ALL: [Self; 11] = [
        Self::IdempotencyRecord,
        Self::RowLock,
        Self::UniqueKey,
        Self::AmountCheck,
        Self::FraudReview,
        Self::OutboxAtomicity,
        Self::PublisherOrder,
        Self::SignatureCheck,
        Self::Reservation,
        Self::ToldOnce,
        Self::OneRun,
    ];

    /// Its parts in statements.
    pub const fn parts(self) -> &'static [Part] {
        match self {
            Self::IdempotencyRecord => IDEMPOTENCY_RECORD,
            Self::RowLock => ROW_LOCK,
            Self::UniqueKey => UNIQUE_KEY,
            Self::Reservation => RESERVATION,
            Self::ToldOnce => TOLD_ONCE,
            Self::OneRun => ONE_RUN,
            _ => &[],
        }
    }

    /// All parts of all protections.
    pub fn all_parts() -> BTreeSet<Part> {
        Self::ALL.iter().flat_map(|protection| protection.parts()).copied().collect()
    }

    /// A statement as it is without the protection.
    pub fn rewrite(self, sql: &str) -> String {
        self.parts().iter().fold(sql.to_owned(), |sql, part| part.taken_from(&sql).unwrap_or(sql))
    }

    /// What a crash right after a commit leaves behind where events are published in a step of their own: a commit
    /// without them.
    pub fn instead_of_commit(self) -> Option<&'static str> {
        (self == Self::OutboxAtomicity).then_some(
            "SET LOCAL ROLE akademi_platform;
             DELETE FROM feed_event WHERE number IS NULL AND xmin = pg_current_xact_id()::xid;
             COMMIT",
        )
    }

    /// What takes it out of a database's schema.
    pub const fn schema_change(self) -> Option<&'static str> {
        match self {
            Self::UniqueKey => Some(
                "ALTER TABLE idempotency DROP CONSTRAINT idempotency_pkey;
                 ALTER TABLE customer_order DROP CONSTRAINT customer_order_key;",
            ),
            Self::OneRun => Some("DROP INDEX ledger_fee_once; DROP INDEX ledger_payout_once;"),
            Self::Reservation => Some("ALTER TABLE budget DROP CONSTRAINT budget_within_ceiling;"),
            // A sequence's number, taken at the insertion.
            Self::PublisherOrder => Some(
                "CREATE SEQUENCE number_at_insertion;
                 CREATE FUNCTION number_at_insertion() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
                 $$ BEGIN NEW.number := nextval('number_at_insertion'); RETURN NEW; END $$;
                 CREATE TRIGGER number_at_insertion BEFORE INSERT ON feed_event
                     FOR EACH ROW EXECUTE FUNCTION number_at_insertion();",
            ),
            _ => None,
        }
    }

    /// What puts the database back to its beginning, beside what a history leaves behind.
    pub const fn reset(self) -> Option<&'static str> {
        match self {
            Self::PublisherOrder => Some("ALTER SEQUENCE number_at_insertion RESTART"),
            _ => None,
        }
    }
}
