-- Prices, coupons, orders, payments and the ledger. Amounts are minor units of their row's currency.

-- What a course costs, VAT inside.
CREATE TABLE price (
    tenant_id uuid NOT NULL,
    course_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    currency text NOT NULL,
    vat_basis_points int NOT NULL CHECK (vat_basis_points BETWEEN 0 AND 10000),
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, course_id),
    CONSTRAINT price_course FOREIGN KEY (tenant_id, course_id) REFERENCES course_draft (tenant_id, id)
);
SELECT protect_tenant_table('price', 'SELECT, INSERT, UPDATE', 'SELECT');

CREATE TABLE coupon (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    -- Folded.
    code text NOT NULL,
    -- Discount, scope, minimum and dates.
    terms jsonb NOT NULL,
    -- How many orders may use it; null is without end.
    use_limit bigint CHECK (use_limit > 0),
    -- Uses of orders that wait for money, and of paid ones.
    held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    used bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    created_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT coupon_code UNIQUE (tenant_id, code),
    -- The last word, should a statement forget to look.
    CONSTRAINT coupon_uses_within_limit CHECK (held + used <= use_limit)
);
CREATE INDEX coupon_newest ON coupon (tenant_id, created_at DESC, id DESC);
SELECT protect_tenant_table('coupon', 'SELECT, INSERT, UPDATE', 'SELECT');

CREATE TABLE customer_order (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    -- The request that made it: a retry after a crash finds its order by it.
    idempotency_key text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'paid', 'failed', 'expired', 'refund_due', 'refunded')),
    currency text NOT NULL,
    subtotal bigint NOT NULL,
    discount bigint NOT NULL,
    total bigint NOT NULL CHECK (total >= 0),
    vat bigint NOT NULL,
    coupon_id uuid,
    -- The payment whose capture the order counts as its own.
    captured_by uuid,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    paid_at bigint,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT customer_order_key UNIQUE (tenant_id, user_id, idempotency_key),
    CHECK (total = subtotal - discount),
    FOREIGN KEY (tenant_id, coupon_id) REFERENCES coupon (tenant_id, id)
);
CREATE INDEX customer_order_newest ON customer_order (tenant_id, user_id, created_at DESC, id DESC);
CREATE INDEX customer_order_due ON customer_order (expires_at) WHERE state = 'pending';
SELECT protect_tenant_table('customer_order', 'SELECT, INSERT, UPDATE', 'SELECT');

CREATE TABLE order_line (
    tenant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    course_id uuid NOT NULL,
    place int NOT NULL,
    -- As the buyer saw it: the provider's page and the invoice name it.
    title text NOT NULL,
    price bigint NOT NULL,
    discount bigint NOT NULL,
    total bigint NOT NULL CHECK (total >= 0),
    vat_basis_points int NOT NULL,
    vat bigint NOT NULL,
    -- One for each paid line, whatever is repeated: made with the line, told when it is paid.
    enrolment_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, order_id, course_id),
    CHECK (total = price - discount),
    FOREIGN KEY (tenant_id, order_id) REFERENCES customer_order (tenant_id, id)
);
SELECT protect_tenant_table('order_line', 'SELECT, INSERT', 'SELECT');

-- The one use of a coupon that an order makes.
CREATE TABLE coupon_use (
    tenant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    coupon_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('held', 'confirmed', 'released')),
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, order_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES customer_order (tenant_id, id),
    FOREIGN KEY (tenant_id, coupon_id) REFERENCES coupon (tenant_id, id)
);
CREATE INDEX coupon_use_of_coupon ON coupon_use (tenant_id, coupon_id, state);
SELECT protect_tenant_table('coupon_use', 'SELECT, INSERT, UPDATE', 'SELECT');

-- An attempt to pay an order: one transaction at a provider, which knows it by the id's 32 hexadecimal digits.
CREATE TABLE payment (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    provider text NOT NULL,
    -- abandoned: the provider's page was never had. refund_due: captured, and to be given back.
    state text NOT NULL CHECK (state IN ('begun', 'abandoned', 'captured', 'failed', 'refund_due', 'refunded')),
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    -- What the buyer paid, with the provider's installment interest.
    total_paid bigint,
    page text,
    failure_code text,
    failure_message text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES customer_order (tenant_id, id)
);
CREATE INDEX payment_of_order ON payment (tenant_id, order_id, created_at DESC, id DESC);
SELECT protect_tenant_table('payment', 'SELECT, INSERT, UPDATE', 'SELECT');

-- An academy's account at a provider.
CREATE TABLE payment_account (
    tenant_id uuid NOT NULL,
    provider text NOT NULL CHECK (provider IN ('paytr')),
    -- 128 random bits in the callback's address, which find the academy.
    callback_token text NOT NULL CONSTRAINT payment_account_token UNIQUE,
    -- Everything else, sealed under a key of the academy.
    sealed_settings bytea NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, provider)
);
SELECT protect_tenant_table('payment_account', 'SELECT, INSERT, UPDATE', 'SELECT');

-- Callbacks as they came, before anything was done about them. What is repeated word for word is one row.
CREATE TABLE payment_callback (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    -- SHA-256 of the body.
    digest bytea NOT NULL,
    body bytea NOT NULL,
    verification text NOT NULL CHECK (verification IN ('verified', 'wrong_signature', 'malformed')),
    -- What the first of them led to; null until it was applied.
    outcome text,
    times bigint NOT NULL DEFAULT 1,
    first_at bigint NOT NULL,
    last_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, provider, digest)
);
SELECT protect_tenant_table('payment_callback', 'SELECT, INSERT, UPDATE', 'SELECT, DELETE');

-- What a person must look at.
CREATE TABLE payment_alarm (
    tenant_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN
        ('wrong_signature', 'malformed', 'unknown_attempt', 'wrong_amount', 'late_capture', 'second_capture')),
    -- What it is about: a callback's digest or a payment's id, in hexadecimal.
    subject text NOT NULL,
    raised_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, kind, subject)
);
SELECT protect_tenant_table('payment_alarm', 'SELECT, INSERT', 'SELECT');

-- Double entry: every transaction's entries sum to nothing, debits above zero, credits below. Nothing is ever changed.
CREATE TABLE ledger_transaction (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('capture', 'capture_to_refund')),
    at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    -- A payment is captured once.
    CONSTRAINT ledger_capture_once UNIQUE (tenant_id, payment_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payment (tenant_id, id)
);
SELECT protect_tenant_table('ledger_transaction', 'SELECT, INSERT', 'SELECT');

CREATE TABLE ledger_entry (
    tenant_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    account text NOT NULL,
    amount bigint NOT NULL CHECK (amount <> 0),
    currency text NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id, account),
    FOREIGN KEY (tenant_id, transaction_id) REFERENCES ledger_transaction (tenant_id, id)
);
SELECT protect_tenant_table('ledger_entry', 'SELECT, INSERT', 'SELECT');

-- Runs at commit as the writer, who sees the academy's own rows. A transaction without entries is as wrong as one whose
-- entries do not balance, in whatever currency.
CREATE FUNCTION check_ledger_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked uuid := CASE TG_TABLE_NAME WHEN 'ledger_entry' THEN (to_jsonb(NEW) ->> 'transaction_id')::uuid
                             ELSE (to_jsonb(NEW) ->> 'id')::uuid END;
    currencies bigint;
    unbalanced bigint;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE balance <> 0) INTO currencies, unbalanced
    FROM (SELECT sum(amount) AS balance FROM ledger_entry
          WHERE tenant_id = NEW.tenant_id AND transaction_id = checked GROUP BY currency) AS balances;
    IF currencies = 0 OR unbalanced > 0 THEN
        RAISE EXCEPTION 'ledger transaction % does not balance', checked
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balance', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_entry_balance AFTER INSERT ON ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_balance();
CREATE CONSTRAINT TRIGGER ledger_transaction_balance AFTER INSERT ON ledger_transaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_balance();
