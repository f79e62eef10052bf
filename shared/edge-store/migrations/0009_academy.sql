-- What academies decide about themselves, and what the platform allows them.

-- What its pages can be read in, separated by spaces; `locale` is that of whoever says nothing.
ALTER TABLE tenant ADD COLUMN languages TEXT NOT NULL DEFAULT 'tr en';
-- IANA's name.
ALTER TABLE tenant ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'Europe/Istanbul';
ALTER TABLE tenant ADD COLUMN logo_url TEXT;
-- Other sites whose pages may ask: `https://host[:port]`, separated by spaces.
ALTER TABLE tenant ADD COLUMN origins TEXT NOT NULL DEFAULT '';
-- What is switched off, one bit each: akademi_domain::academy.
ALTER TABLE tenant ADD COLUMN features_off INTEGER NOT NULL DEFAULT 0;
-- The most people and bytes; without one there is no limit. People are counted as they come and go.
ALTER TABLE tenant ADD COLUMN people_limit INTEGER;
ALTER TABLE tenant ADD COLUMN people INTEGER NOT NULL DEFAULT 0
    CONSTRAINT people_limit CHECK (people_limit IS NULL OR people <= people_limit);
UPDATE tenant SET people = (SELECT count(*) FROM person WHERE tenant_id = tenant.id);
ALTER TABLE tenant ADD COLUMN storage_limit INTEGER;
-- A suspended academy that is deleted then, unless somebody thinks better of it.
ALTER TABLE tenant ADD COLUMN delete_at INTEGER;
ALTER TABLE tenant ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- Hosts that academies say are theirs. Several may say so; who proves it gets the host.
CREATE TABLE domain_claim (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    host TEXT NOT NULL,
    -- What the host's TXT record must say.
    challenge TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, host)
) STRICT, WITHOUT ROWID;
CREATE INDEX domain_of_tenant ON domain (tenant_id);
