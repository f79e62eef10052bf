-- Events that were refused for what they are, kept as they came until somebody has mended the cause and applied them.
-- An academy's transaction puts its own here and sees none.
CREATE TABLE feed_quarantine (
    tenant_id uuid NOT NULL,
    -- The source with its epoch, and the event's number there.
    source text NOT NULL,
    number bigint NOT NULL,
    kind text NOT NULL,
    version bigint NOT NULL,
    -- JSON as UTF-8, if it is that.
    payload bytea NOT NULL,
    error text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (tenant_id, source, number)
);
SELECT protect_tenant_table('feed_quarantine', 'INSERT', 'SELECT, DELETE');
