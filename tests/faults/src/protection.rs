//! What keeps money right, and how each of these is taken away, without touching the code that is tested: on the wire
//! between driver and server, in the schema of the test's own database, or at the provider.

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
}

impl Protection {
    pub const ALL: [Self; 9] = [
        Self::IdempotencyRecord,
        Self::RowLock,
        Self::UniqueKey,
        Self::AmountCheck,
        Self::OutboxAtomicity,
        Self::PublisherOrder,
        Self::SignatureCheck,
        Self::Reservation,
        Self::ToldOnce,
    ];

    /// A statement as it is without the protection.
    pub fn rewrite(self, sql: &str) -> String {
        match self {
            // A finished request's key is as good as a new one.
            Self::IdempotencyRecord => sql
                .replace(
                    "WHERE known.state = 'running' AND known.lease_until <= $6 AND known.fingerprint = excluded.fingerprint",
                    "WHERE $6::bigint IS NOT NULL",
                )
                .replace("SET fence = known.fence + 1,", "SET state = 'running', fence = known.fence + 1,")
                .replace("WHERE NOT EXISTS (SELECT FROM before WHERE state = 'done')", ""),
            Self::RowLock if sql.contains("FROM customer_order") => sql.replace(" FOR UPDATE", ""),
            // Without the key the clause names nothing that could conflict.
            Self::UniqueKey if sql.contains("INSERT INTO idempotency") => {
                match (sql.find("ON CONFLICT"), sql.find("RETURNING")) {
                    (Some(begin), Some(end)) => format!("{}{}", &sql[..begin], &sql[end..]),
                    _ => sql.to_owned(),
                }
            }
            // The budget is whatever is wanted, and only what is done counts as given back of a line.
            Self::Reservation if sql.contains("INTO budget") => {
                sql.replace("budget.held + budget.used + excluded.held <= budget.ceiling", "true")
            }
            Self::Reservation if sql.contains("FROM refund_line") => {
                sql.replace("state <> 'refused'", "state = 'done'")
            }
            // Nobody remembers that it was told.
            Self::ToldOnce => sql.replace("SET sent_at = $3,", "SET sent_at = NULLIF($3::bigint, $3),"),
            _ => sql.to_owned(),
        }
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
