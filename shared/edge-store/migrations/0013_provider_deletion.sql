-- What was deleted since its owner told a provider so.
CREATE TABLE provider_deletion (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    -- By what the owner asks for it: HMAC of the identity under a key of the academy, in hexadecimal.
    code TEXT NOT NULL,
    provider TEXT NOT NULL,
    deleted_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_deletion_by_age ON provider_deletion (tenant_id, deleted_at);
