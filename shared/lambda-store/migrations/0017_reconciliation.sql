-- What providers report of an academy's money, held against its own books. Amounts are minor units of their row's currency,
-- days are calendar days of Istanbul.

-- How far an account's reports are read. Never before its first run: no row.
CREATE TABLE reconciliation (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    -- Every day from the first to the last was read at least once.
    first_day date,
    last_day date,
    -- Up to here all was read, compared and booked.
    done_day date,
    done_at bigint,
    tried_at bigint NOT NULL,
    -- Why the newest try did not come to its end.
    error text,
    PRIMARY KEY (tenant_id, provider),
    FOREIGN KEY (tenant_id, provider) REFERENCES payment_account (tenant_id, provider),
    CHECK ((first_day IS NULL) = (last_day IS NULL) AND first_day <= last_day)
);
SELECT protect_tenant_table('reconciliation', 'SELECT, INSERT, UPDATE', 'SELECT, DELETE');

-- A day's report as it was last read; place counts its rows.
CREATE TABLE provider_transaction (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    day date NOT NULL,
    place int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('capture', 'refund')),
    -- Our name of the attempt, or the provider's where it tells no other.
    attempt text NOT NULL,
    -- Our name of the refund, where the provider tells it.
    reference text,
    amount bigint NOT NULL CHECK (amount >= 0),
    currency text NOT NULL,
    -- What the provider keeps; null where it does not tell.
    fee bigint,
    PRIMARY KEY (tenant_id, provider, day, place)
);
CREATE INDEX provider_transaction_of_attempt ON provider_transaction (tenant_id, provider, attempt);
SELECT protect_tenant_table('provider_transaction', 'SELECT, INSERT, DELETE', 'SELECT');

-- Where the two do not agree. A row stays when that ends, and is opened again if it comes back.
CREATE TABLE reconciliation_difference (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    kind text NOT NULL CHECK (kind IN
        ('missing_at_provider', 'missing_here', 'amount_differs', 'state_differs', 'fee_differs', 'fee_unknown')),
    subject_kind text NOT NULL CHECK (subject_kind IN ('payment', 'refund', 'payout')),
    -- What is ours in hexadecimal, else the provider's name of it.
    subject text NOT NULL,
    -- What is compared together: an attempt to pay or a payout.
    attempt text NOT NULL,
    payment_id uuid,
    our_amount bigint,
    our_currency text,
    their_amount bigint,
    their_currency text,
    first_seen_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    resolved_at bigint,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT reconciliation_difference_once UNIQUE (tenant_id, provider, kind, subject_kind, subject),
    CHECK ((our_amount IS NULL) = (our_currency IS NULL) AND (their_amount IS NULL) = (their_currency IS NULL))
);
CREATE INDEX reconciliation_difference_listed ON reconciliation_difference (tenant_id, first_seen_at DESC, id DESC);
CREATE INDEX reconciliation_difference_open ON reconciliation_difference (tenant_id, provider, attempt)
    WHERE resolved_at IS NULL;
SELECT protect_tenant_table('reconciliation_difference', 'SELECT, INSERT, UPDATE', 'SELECT');

-- What a comparison reads of our books.
CREATE INDEX refund_of_payment ON refund (tenant_id, payment_id);

ALTER TABLE payment_alarm DROP CONSTRAINT payment_alarm_kind_check;
ALTER TABLE payment_alarm ADD CONSTRAINT payment_alarm_kind_check CHECK (kind IN
    ('wrong_signature', 'malformed', 'stale', 'unlisted_address', 'unknown_attempt', 'wrong_amount', 'late_capture',
     'second_capture', 'refund_refused', 'unknown_money'));

-- What a provider keeps of a payment, and what it pays out: that belongs to no payment.
ALTER TABLE ledger_transaction ALTER COLUMN payment_id DROP NOT NULL,
    -- The provider, the day and the currency of a payout.
    ADD COLUMN payout_reference text,
    ADD COLUMN payout_day date;
ALTER TABLE ledger_transaction DROP CONSTRAINT ledger_transaction_kind_check;
ALTER TABLE ledger_transaction ADD CONSTRAINT ledger_transaction_kind_check CHECK
    (kind IN ('capture', 'capture_to_refund', 'refund', 'fee', 'payout')
     AND (kind = 'refund') = (refund_id IS NOT NULL)
     AND (kind = 'payout') = (payment_id IS NULL)
     AND (kind = 'payout') = (payout_reference IS NOT NULL)
     AND (kind = 'payout') = (payout_day IS NOT NULL));
DROP INDEX ledger_capture_once;
CREATE UNIQUE INDEX ledger_capture_once ON ledger_transaction (tenant_id, payment_id)
    WHERE kind IN ('capture', 'capture_to_refund');
CREATE UNIQUE INDEX ledger_fee_once ON ledger_transaction (tenant_id, payment_id) WHERE kind = 'fee';
CREATE UNIQUE INDEX ledger_payout_once ON ledger_transaction (tenant_id, payout_reference);
