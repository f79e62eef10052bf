-- The audit log: what staff wrote and what concerns security, in one chain of hashes for each academy.

CREATE TABLE audit_entry (
    tenant_id uuid NOT NULL,
    -- From 1, without gaps.
    number bigint NOT NULL,
    id uuid NOT NULL,
    at bigint NOT NULL,
    action text NOT NULL,
    -- Null for what strangers do.
    actor uuid,
    target text NOT NULL,
    -- Sealed with the key of `sealed_for`; empty where there was nobody to seal it for.
    origin bytea NOT NULL,
    sealed_for uuid,
    -- {"before": …, "after": …}
    change jsonb,
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    -- SHA-256 over the hash before and all the other columns (akademi_lambda_store::audit).
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (tenant_id, number),
    -- However often an event is told.
    CONSTRAINT audit_entry_id UNIQUE (tenant_id, id),
    CHECK (number > 0)
);
CREATE INDEX audit_entry_newest ON audit_entry (tenant_id, at DESC, number DESC);
CREATE INDEX audit_entry_of_action ON audit_entry (tenant_id, action, at DESC, number DESC);
CREATE INDEX audit_entry_of_actor ON audit_entry (tenant_id, actor, at DESC, number DESC);
CREATE INDEX audit_entry_of_target ON audit_entry (tenant_id, target, at DESC, number DESC);
SELECT protect_tenant_table('audit_entry', 'SELECT, INSERT', 'SELECT');

-- Where an academy's chain ends: without it nobody would miss the newest entries.
CREATE TABLE audit_head (
    tenant_id uuid PRIMARY KEY,
    number bigint NOT NULL CHECK (number >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);
SELECT protect_tenant_table('audit_head', 'SELECT, INSERT, UPDATE (number, hash)', 'SELECT');

-- Against mistakes of those whom no grant holds back, the tables' owner among them.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to' USING ERRCODE = 'insufficient_privilege';
END $$;
REVOKE ALL ON FUNCTION refuse_audit_change() FROM PUBLIC;

CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_head_advances BEFORE UPDATE ON audit_head
    FOR EACH ROW WHEN (NEW.number <> OLD.number + 1) EXECUTE FUNCTION refuse_audit_change();
