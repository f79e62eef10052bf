-- Personal data: who was erased, and what the night deletes when its time is over (akademi_domain::retention).

-- Somebody who was erased at the edge. Neither a replayed feed nor a backup brings them back.
CREATE TABLE tombstone (
    tenant_id uuid NOT NULL,
    person_id uuid NOT NULL,
    erased_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, person_id)
);
CREATE INDEX tombstone_by_age ON tombstone (erased_at);
SELECT protect_tenant_table('tombstone', 'SELECT, INSERT', 'SELECT, DELETE');

-- What is dropped with an erased person.
GRANT DELETE ON idempotency TO akademi_app;

CREATE INDEX mail_of_person ON mail (tenant_id, person_id);
CREATE INDEX mail_by_age ON mail (created_at);
CREATE INDEX job_ended ON job (updated_at) WHERE state IN ('done', 'failed');
CREATE INDEX feed_quarantine_by_age ON feed_quarantine (at);
CREATE INDEX payment_callback_by_age ON payment_callback (last_at);
CREATE INDEX course_import_by_age ON course_import (created_at);
GRANT DELETE ON mail, course_import TO akademi_platform;

-- An academy that is deleted goes as a whole, but for what akademi_lambda_store::platform::KEPT names. A table that comes later
-- grants DELETE to akademi_platform where it is made.
DO $$
DECLARE
    relation text;
BEGIN
    FOR relation IN
        SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'tenant_id' AND table_name NOT IN (
            'audit_entry', 'audit_head', 'customer_order', 'order_line', 'coupon', 'coupon_use', 'payment', 'payment_alarm',
            'ledger_transaction', 'ledger_entry')
    LOOP
        EXECUTE format('GRANT DELETE ON %I TO akademi_platform', relation);
    END LOOP;
END $$;
