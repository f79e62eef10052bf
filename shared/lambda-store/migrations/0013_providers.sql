-- Payment providers beside PayTR: which one takes an academy's orders, what it calls an attempt, where its callbacks may
-- come from.

ALTER TABLE payment_account
    DROP CONSTRAINT payment_account_provider_check,
    ADD CONSTRAINT payment_account_provider_check CHECK (provider IN ('paytr', 'iyzico', 'stripe')),
    -- Whether new orders are paid there. The accounts of before are the only ones of their academies.
    ADD COLUMN takes_orders boolean NOT NULL DEFAULT true,
    -- In CIDR notation; callbacks come from anywhere where there are none.
    ADD COLUMN callback_networks text[] NOT NULL DEFAULT '{}';
ALTER TABLE payment_account ALTER COLUMN takes_orders SET DEFAULT false;
CREATE UNIQUE INDEX payment_account_of_orders ON payment_account (tenant_id) WHERE takes_orders;

-- The provider's own name for the attempt, where it gives one.
ALTER TABLE payment ADD COLUMN provider_reference text;

-- The header that signs the body, of providers who sign there.
ALTER TABLE payment_callback
    ADD COLUMN signature text,
    DROP CONSTRAINT payment_callback_verification_check,
    ADD CONSTRAINT payment_callback_verification_check CHECK (verification IN
        ('verified', 'wrong_signature', 'malformed', 'stale', 'unlisted_address'));

ALTER TABLE payment_alarm
    DROP CONSTRAINT payment_alarm_kind_check,
    ADD CONSTRAINT payment_alarm_kind_check CHECK (kind IN
        ('wrong_signature', 'malformed', 'stale', 'unlisted_address', 'unknown_attempt', 'wrong_amount', 'late_capture',
         'second_capture'));
