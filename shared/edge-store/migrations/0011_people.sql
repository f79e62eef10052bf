-- Staff finds people by their names, and who registers says what they consent to.

-- A blind index: what a word of somebody's name begins with, under a key of the academy that the store has not. It is made
-- when staff first searches, so an academy that never does has none. Who takes the database without the key sees which
-- people share the beginning of some word of their names, how many have each beginning, and about how many words there are;
-- with a list of how common names are, that lets them guess the most common ones. It tells no name that few have, and
-- nothing across academies. Who has the key has the names too.
CREATE TABLE person_name_prefix (
    tenant_id TEXT NOT NULL,
    -- 52 bits of an HMAC over 2 to 6 folded letters.
    prefix INTEGER NOT NULL,
    -- The person's: pages are read in their order.
    created_at INTEGER NOT NULL,
    person_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, prefix, created_at, person_id),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX prefix_of_person ON person_name_prefix (tenant_id, person_id);

-- Whether the index has the name as it is.
ALTER TABLE person ADD COLUMN name_indexed INTEGER NOT NULL DEFAULT 0 CHECK (name_indexed IN (0, 1));
CREATE INDEX person_to_index ON person (tenant_id, id) WHERE name_indexed = 0;

-- An import looks for many addresses at once.
CREATE INDEX pending_person_by_address ON pending_person (tenant_id, email_lookup);

-- What somebody consented to as they registered, `[[kind, version, language], …]`, and from where, sealed under their key:
-- the proof once they have come.
ALTER TABLE pending_person ADD COLUMN consents TEXT NOT NULL DEFAULT '[]';
ALTER TABLE pending_person ADD COLUMN consent_origin BLOB;
