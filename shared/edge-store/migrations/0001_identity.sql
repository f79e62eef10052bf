-- Academies, people, sessions, and what carries changes to the other plane.
-- Times are milliseconds since 1970; ids are UUIDs as text. One file, one version, never changed once released.

-- A conditional batch begins by inserting the outcome of its condition here and ends by removing it: a NULL
-- refuses the row, and with it the whole batch.
CREATE TABLE guard (ok INTEGER NOT NULL) STRICT;

CREATE TABLE tenant (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    locale TEXT NOT NULL CHECK (locale IN ('tr', 'en')),
    brand_colour TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended')),
    -- Part of every public ETag: moves on publish, suspend, revoke.
    generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE domain (
    host TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    -- HMAC of the address under a key of the academy.
    email_lookup BLOB NOT NULL,
    -- Name and address, sealed under the person's key.
    profile BLOB NOT NULL,
    password_hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended')),
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email_lookup)
) STRICT, WITHOUT ROWID;

-- A person's key, wrapped under the academy's. Removing the row erases the person.
CREATE TABLE person_key (
    tenant_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    PRIMARY KEY (tenant_id, person_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE role_assignment (
    tenant_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('tenant_admin', 'instructor', 'student')),
    PRIMARY KEY (tenant_id, person_id, role),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- One row per family of refresh tokens, which is one device.
CREATE TABLE session (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    -- Refresh tokens are HMACs over this and the generation; no token is stored.
    nonce BLOB NOT NULL,
    generation INTEGER NOT NULL,
    device TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX session_of_person ON session (tenant_id, person_id, rotated_at);

-- The feed to the other plane. `epoch` names this database's life: a restore starts a new one.
CREATE TABLE feed_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    number INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL
) STRICT;
INSERT INTO feed_head (id, epoch, number, acknowledged) VALUES (1, lower(hex(randomblob(8))), 0, 0);

CREATE TABLE feed_event (
    number INTEGER NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    -- An event under the same key replaces the pending one: its old number is no gap.
    supersedes TEXT UNIQUE,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- How far the other plane's feed has been applied here.
CREATE TABLE feed_cursor (
    source TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
