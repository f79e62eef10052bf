-- Where an academy's people may sign in beside its own passwords.

CREATE TABLE identity_provider (
    tenant_id uuid NOT NULL,
    -- As addresses name it.
    id text NOT NULL CHECK (id ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(id) <= 32),
    -- As people read it.
    name text NOT NULL,
    -- Kind, issuer, client and secret, sealed under a key of the academy.
    sealed_settings bytea NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
SELECT protect_tenant_table('identity_provider', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT');
