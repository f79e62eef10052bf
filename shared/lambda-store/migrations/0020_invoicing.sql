-- What invoices in other currencies need, and mail that tells of invoices.

-- What a currency is worth in TRY, as the academy's staff say by day.
CREATE TABLE exchange_rate (
    tenant_id uuid NOT NULL,
    currency text NOT NULL CHECK (currency <> 'TRY'),
    day date NOT NULL,
    -- TRY for one unit: 41.2345 is 412345.
    ten_thousandths bigint NOT NULL CHECK (ten_thousandths > 0),
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, currency, day)
);
SELECT protect_tenant_table(
    'exchange_rate', 'SELECT, INSERT, UPDATE (ten_thousandths, updated_at)', 'SELECT, DELETE');

-- An invoice waits for settings or for an exchange rate, and whoever sets them has it tried again. Both sides take this
-- first: who would have it wait looks once more whether it has to, and who sets something sees all that wait.
CREATE FUNCTION lock_waiting_invoices(tenant uuid) RETURNS void LANGUAGE sql AS
    $$ SELECT pg_advisory_xact_lock(hashtextextended('waiting invoices of ' || tenant, 0)) $$;

-- What the night looks for.
CREATE INDEX invoice_details_by_age ON invoice_details (updated_at);

-- The order that a mail is about, whose page it leads to.
ALTER TABLE mail ADD COLUMN order_id uuid;
