-- Passkeys (WebAuthn).

-- A key pair of somebody's authenticator, whose public half signs in.
CREATE TABLE passkey (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    -- The academy's host that it was made for, and works at: its relying party.
    host TEXT NOT NULL,
    -- As the authenticator calls it.
    credential_id BLOB NOT NULL,
    -- The public key and what goes with it, as the other plane's verifier writes it (JSON).
    public_key TEXT NOT NULL,
    -- How often it has signed; 0 for good where it does not count.
    counter INTEGER NOT NULL,
    -- What its owner calls it, sealed.
    name BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, credential_id),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX passkey_of_person ON passkey (tenant_id, person_id);

-- What an authenticator is to sign, once.
CREATE TABLE passkey_challenge (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    -- SHA-256 of it.
    challenge BLOB NOT NULL,
    -- Who adds a passkey; nobody for a sign-in.
    person_id TEXT,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, challenge),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_challenge_by_end ON passkey_challenge (tenant_id, expires_at);
CREATE INDEX passkey_challenge_of_person ON passkey_challenge (tenant_id, person_id);
