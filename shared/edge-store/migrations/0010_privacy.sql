-- Personal data: who was erased, what academies ask consent to, and who gave it.

-- Somebody who was erased. Neither a feed nor a backup brings them back.
CREATE TABLE tombstone (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    person_id TEXT NOT NULL,
    erased_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstone_by_age ON tombstone (tenant_id, erased_at);

-- What an academy asks consent to. A version never changes: another text is another version.
CREATE TABLE consent_text (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    language TEXT NOT NULL CHECK (language IN ('tr', 'en')),
    text TEXT NOT NULL,
    -- SHA-256 of the text: what a proof names.
    digest BLOB NOT NULL,
    -- Whether nobody may do without.
    required INTEGER NOT NULL CHECK (required IN (0, 1)),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, kind, version, language)
) STRICT;

-- Who gave or withdrew it: rows are added and never changed, the newest of a kind holds. They outlive the person, as proof
-- without a name.
CREATE TABLE consent (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    person_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- Among the person's of this kind, from 1 on.
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    -- What they read.
    language TEXT NOT NULL,
    digest BLOB NOT NULL,
    given INTEGER NOT NULL CHECK (given IN (0, 1)),
    -- From where, sealed under the person's key.
    origin BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, person_id, kind, number)
) STRICT, WITHOUT ROWID;
