-- Mail that the edge asked for, as staff see it. Sending it is a job of the kind `mail_delivery`, which keeps when the next
-- attempt is due and who makes it.

CREATE TABLE mail (
    tenant_id uuid NOT NULL,
    -- The edge's: however often it is told.
    id uuid NOT NULL,
    kind text NOT NULL,
    -- Whose key opens the recipient; perhaps no account.
    person_id uuid NOT NULL,
    -- Name and address, sealed with the person's key.
    sealed_recipient bytea NOT NULL,
    link_id uuid,
    -- Of the academy: where links lead.
    host text NOT NULL,
    locale text NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    -- That came to an end, of all times that it was queued.
    attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Why the last attempt sent nothing, for staff: without personal data.
    reason text,
    -- When it was wanted; a link's life begins then.
    created_at bigint NOT NULL,
    -- Since when it has been tried.
    queued_at bigint NOT NULL,
    sent_at bigint,
    PRIMARY KEY (tenant_id, id),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (state <> 'failed' OR reason IS NOT NULL)
);
CREATE INDEX mail_newest ON mail (tenant_id, created_at DESC, id DESC);
CREATE INDEX mail_in_state ON mail (tenant_id, state, created_at DESC, id DESC);
SELECT protect_tenant_table(
    'mail', 'SELECT, INSERT, UPDATE (state, attempts, reason, queued_at, sent_at)', 'SELECT');
