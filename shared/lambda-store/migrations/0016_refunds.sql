-- Reservations, refunds and what they do to the ledger; what was bought. Amounts are minor units of their row's currency.

-- What may be taken of something that ends: a payment's money that may go back.
CREATE TABLE budget (
    tenant_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('refund')),
    -- The payment.
    subject_id uuid NOT NULL,
    ceiling bigint NOT NULL CHECK (ceiling >= 0),
    -- By reservations that are open, and by those that were confirmed.
    held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    used bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    PRIMARY KEY (tenant_id, kind, subject_id),
    -- The last word, should a statement forget to look.
    CONSTRAINT budget_within_ceiling CHECK (held + used <= ceiling)
);
SELECT protect_tenant_table('budget', 'SELECT, INSERT, UPDATE', 'SELECT');

-- A part of a budget: held, then confirmed or released, once.
CREATE TABLE reservation (
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    -- Who holds it: a refund.
    holder_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    state text NOT NULL CHECK (state IN ('held', 'confirmed', 'released')),
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, kind, subject_id, holder_id),
    FOREIGN KEY (tenant_id, kind, subject_id) REFERENCES budget (tenant_id, kind, subject_id)
);
SELECT protect_tenant_table('reservation', 'SELECT, INSERT, UPDATE', 'SELECT');

ALTER TABLE customer_order DROP CONSTRAINT customer_order_state_check;
ALTER TABLE customer_order ADD CONSTRAINT customer_order_state_check CHECK (state IN
    ('pending', 'paid', 'failed', 'expired', 'refund_due', 'partly_refunded', 'refunded'));
-- What staff looks through.
CREATE INDEX customer_order_of_academy ON customer_order (tenant_id, created_at DESC, id DESC);

-- Money of a payment that goes back.
CREATE TABLE refund (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    order_id uuid NOT NULL,
    -- requested: the provider may know of it or not. refused: nothing went back.
    state text NOT NULL CHECK (state IN ('requested', 'done', 'refused')),
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    reason text NOT NULL,
    -- Null: nobody asked, the money had come too late or twice.
    requested_by uuid,
    -- The request that made it: a retry after a crash finds its refund by it.
    idempotency_key text,
    -- Of the newest request to the provider; null before the first.
    sent_at bigint,
    -- When the provider is to be asked what became of it.
    due_at bigint,
    failure_code text,
    failure_message text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT refund_key UNIQUE (tenant_id, requested_by, idempotency_key),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payment (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES customer_order (tenant_id, id),
    CHECK ((state = 'requested') = (due_at IS NOT NULL))
);
CREATE INDEX refund_of_order ON refund (tenant_id, order_id, created_at, id);
CREATE INDEX refund_due ON refund (due_at) WHERE state = 'requested';
-- What nobody asked for is asked once at a time.
CREATE UNIQUE INDEX refund_by_rule ON refund (tenant_id, payment_id) WHERE requested_by IS NULL AND state <> 'refused';
SELECT protect_tenant_table('refund', 'SELECT, INSERT, UPDATE', 'SELECT');

-- What a refund gives back of a line. A refund by rule gives back money that no line was granted for, and has none.
CREATE TABLE refund_line (
    tenant_id uuid NOT NULL,
    refund_id uuid NOT NULL,
    order_id uuid NOT NULL,
    course_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    vat bigint NOT NULL CHECK (vat BETWEEN 0 AND amount),
    -- The course is taken back.
    withdraws boolean NOT NULL,
    PRIMARY KEY (tenant_id, refund_id, course_id),
    FOREIGN KEY (tenant_id, refund_id) REFERENCES refund (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id, course_id) REFERENCES order_line (tenant_id, order_id, course_id)
);
SELECT protect_tenant_table('refund_line', 'SELECT, INSERT', 'SELECT');

ALTER TABLE payment_alarm DROP CONSTRAINT payment_alarm_kind_check;
ALTER TABLE payment_alarm ADD CONSTRAINT payment_alarm_kind_check CHECK (kind IN
    ('wrong_signature', 'malformed', 'stale', 'unlisted_address', 'unknown_attempt', 'wrong_amount', 'late_capture',
     'second_capture', 'refund_refused'));

ALTER TABLE ledger_transaction ADD COLUMN refund_id uuid;
ALTER TABLE ledger_transaction DROP CONSTRAINT ledger_transaction_kind_check;
ALTER TABLE ledger_transaction ADD CONSTRAINT ledger_transaction_kind_check CHECK
    (kind IN ('capture', 'capture_to_refund', 'refund') AND (kind = 'refund') = (refund_id IS NOT NULL));
ALTER TABLE ledger_transaction DROP CONSTRAINT ledger_capture_once;
CREATE UNIQUE INDEX ledger_capture_once ON ledger_transaction (tenant_id, payment_id) WHERE refund_id IS NULL;
CREATE UNIQUE INDEX ledger_refund_once ON ledger_transaction (tenant_id, refund_id);
ALTER TABLE ledger_transaction ADD FOREIGN KEY (tenant_id, refund_id) REFERENCES refund (tenant_id, id);

-- What somebody has bought, and with which order: once each, whatever orders are paid at the same moment.
CREATE TABLE purchase (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    order_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, user_id, course_id),
    FOREIGN KEY (tenant_id, order_id, course_id) REFERENCES order_line (tenant_id, order_id, course_id)
);
INSERT INTO purchase (tenant_id, user_id, course_id, order_id)
SELECT tenant_id, user_id, course_id, id FROM customer_order
JOIN order_line USING (tenant_id) WHERE order_line.order_id = id AND state = 'paid' ORDER BY paid_at
ON CONFLICT DO NOTHING;
SELECT protect_tenant_table('purchase', 'SELECT, INSERT, DELETE', 'SELECT, DELETE');

-- How often the provider was asked what became of an attempt that nobody told the end of, and when last.
ALTER TABLE payment ADD COLUMN asks int NOT NULL DEFAULT 0, ADD COLUMN asked_at bigint;
CREATE INDEX payment_unsettled ON payment (created_at) WHERE state IN ('begun', 'abandoned') AND asks < 4;

-- What an academy's books are read by.
CREATE INDEX ledger_transaction_at ON ledger_transaction (tenant_id, at, id);
