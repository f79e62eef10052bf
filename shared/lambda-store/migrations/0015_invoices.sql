-- Invoices of paid orders and their returns. Amounts are minor units of their row's currency.

-- Who sells, by which series and scenario.
CREATE TABLE invoice_settings (
    tenant_id uuid PRIMARY KEY,
    -- Sealed under a key of the academy.
    sealed_settings bytea NOT NULL,
    updated_at bigint NOT NULL
);
SELECT protect_tenant_table('invoice_settings', 'SELECT, INSERT, UPDATE', 'SELECT, DELETE');

-- How far a series has come in a year. Whoever takes a number holds the row until the invoice is stored and both are
-- committed: a SEQUENCE would leave a gap for whatever is rolled back.
CREATE TABLE invoice_series (
    tenant_id uuid NOT NULL,
    series text NOT NULL CHECK (series ~ '^[A-Z0-9]{3}$'),
    year int NOT NULL CHECK (year BETWEEN 2000 AND 2099),
    last_number bigint NOT NULL CONSTRAINT invoice_series_full CHECK (last_number BETWEEN 1 AND 999999999),
    -- Later numbers bear no earlier moment.
    last_issued_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, series, year)
);
SELECT protect_tenant_table('invoice_series', 'SELECT, INSERT, UPDATE (last_number, last_issued_at)', 'SELECT');

-- What the invoices of a year are sealed under: a key of their own, since they outlive the erasure of whom they name. It
-- goes when they need not be kept any longer, and they become unreadable in all copies.
CREATE TABLE invoice_key (
    tenant_id uuid NOT NULL,
    year int NOT NULL,
    sealed_key bytea NOT NULL,
    -- The first moment after the year.
    year_ended_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, year)
);
CREATE INDEX invoice_key_by_age ON invoice_key (year_ended_at);
SELECT protect_tenant_table('invoice_key', 'SELECT, INSERT', 'SELECT, DELETE');

-- Whom a buyer wants to be named, until the invoice does.
CREATE TABLE invoice_details (
    tenant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    -- Sealed with the buyer's key.
    sealed_details bytea NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, order_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES customer_order (tenant_id, id)
);
SELECT protect_tenant_table('invoice_details', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, DELETE');

-- Asked for by whoever captures or gives back, in that very transaction. Issuing and handing over is a job of the kind
-- `invoice`, which keeps when the next attempt is due and who makes it.
CREATE TABLE invoice (
    tenant_id uuid NOT NULL,
    -- The document's UUID (ETTN) too.
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    -- Null for the sale itself.
    refund_id uuid,
    -- What of each line is given back: [{"course": …, "total": …, "vat": …}].
    returned jsonb,
    currency text NOT NULL,
    -- waiting: the academy has no settings. A queued one may have been issued, and waits to be handed over.
    state text NOT NULL CHECK (state IN ('queued', 'waiting', 'delivered', 'failed')),
    -- That came to an end, of all times that it was queued.
    attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Why the last attempt delivered nothing, for staff: without personal data.
    reason text,
    created_at bigint NOT NULL,
    -- Since when it has been tried.
    queued_at bigint NOT NULL,
    delivered_at bigint,
    -- From here on null until it is issued, and unchanged from then on.
    number text,
    year int,
    profile text,
    total bigint CHECK (total > 0),
    vat bigint CHECK (vat >= 0),
    issued_at bigint,
    sealed_document bytea,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT invoice_once UNIQUE NULLS NOT DISTINCT (tenant_id, order_id, refund_id),
    CONSTRAINT invoice_number UNIQUE (tenant_id, number),
    CHECK ((refund_id IS NULL) = (returned IS NULL)),
    CHECK (num_nulls(number, year, profile, total, vat, issued_at, sealed_document) IN (0, 7)),
    CHECK ((state = 'delivered') = (delivered_at IS NOT NULL)),
    CHECK (state <> 'delivered' OR number IS NOT NULL),
    CHECK (state NOT IN ('waiting', 'failed') OR reason IS NOT NULL),
    FOREIGN KEY (tenant_id, order_id) REFERENCES customer_order (tenant_id, id)
);
CREATE INDEX invoice_newest ON invoice (tenant_id, created_at DESC, id DESC);
CREATE INDEX invoice_in_state ON invoice (tenant_id, state, created_at DESC, id DESC);
SELECT protect_tenant_table(
    'invoice',
    'SELECT, INSERT, UPDATE (state, attempts, reason, queued_at, delivered_at, number, year, profile, total, vat, issued_at,
                             sealed_document)',
    'SELECT');

CREATE FUNCTION keep_issued_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'invoice % is issued', OLD.number
        USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_is_issued', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER invoice_is_issued BEFORE UPDATE ON invoice FOR EACH ROW
    WHEN (OLD.number IS NOT NULL AND
          (OLD.number, OLD.year, OLD.profile, OLD.total, OLD.vat, OLD.issued_at, OLD.sealed_document) IS DISTINCT FROM
          (NEW.number, NEW.year, NEW.profile, NEW.total, NEW.vat, NEW.issued_at, NEW.sealed_document))
    EXECUTE FUNCTION keep_issued_invoice();
