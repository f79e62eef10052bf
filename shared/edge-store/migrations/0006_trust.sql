-- Who may do what, who has proved what, and how often somebody may try.

-- How long a device stays signed in: without being seen, and in all.
ALTER TABLE tenant ADD COLUMN session_idle_seconds INTEGER NOT NULL DEFAULT 2592000;
ALTER TABLE tenant ADD COLUMN session_absolute_seconds INTEGER NOT NULL DEFAULT 15552000;

-- Access tokens from before that moment show what the person may no longer do.
ALTER TABLE person ADD COLUMN permissions_since INTEGER NOT NULL DEFAULT 0;
-- The second factor: a TOTP secret (RFC 6238) sealed under the person's key, and the time step of the last code, since a
-- code is good once.
ALTER TABLE person ADD COLUMN totp_secret BLOB;
ALTER TABLE person ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;

-- Staff's list.
CREATE INDEX person_by_age ON person (tenant_id, created_at, id);

-- When somebody last proved on this device who they are.
ALTER TABLE session ADD COLUMN authenticated_at INTEGER NOT NULL DEFAULT 0;
-- ISO 3166-1 alpha-2, as the host was told of the address.
ALTER TABLE session ADD COLUMN country TEXT;

-- Roles that academies define beside the built-in ones.
CREATE TABLE role (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    -- One bit each: akademi_domain::permission.
    permissions INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
) STRICT, WITHOUT ROWID;

-- A built-in role by its name, or one of the academy's by its id.
CREATE TABLE open_role_assignment (
    tenant_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (tenant_id, person_id, role),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO open_role_assignment SELECT * FROM role_assignment;
DROP TABLE role_assignment;
ALTER TABLE open_role_assignment RENAME TO role_assignment;
CREATE INDEX assignment_of_role ON role_assignment (tenant_id, role);

-- Somebody who asked for an account, or was invited, and has not followed the e-mail's link yet. Several may wait for one
-- address: whoever reads its mail decides.
CREATE TABLE pending_person (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    -- The link's.
    id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    email_lookup BLOB NOT NULL,
    profile BLOB NOT NULL,
    -- NULL of an invitation: who follows it chooses one.
    password_hash TEXT,
    -- Names and ids, separated by commas.
    roles TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_person_by_end ON pending_person (tenant_id, expires_at);

-- Links to choose a new password.
CREATE TABLE one_time_link (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_link_of_person ON one_time_link (tenant_id, person_id, expires_at);

-- Codes that stand in for a lost second factor, each good once: SHA-256, since they are random.
CREATE TABLE recovery_code (
    tenant_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant_id, person_id, hash),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Attempts that failed, by a keyed hash of what was tried from where.
CREATE TABLE throttle (
    tenant_id TEXT NOT NULL,
    key BLOB NOT NULL,
    failures INTEGER NOT NULL,
    failed_at INTEGER NOT NULL,
    refused_until INTEGER NOT NULL,
    -- Whether an attempt has succeeded there.
    trusted INTEGER NOT NULL CHECK (trusted IN (0, 1)),
    PRIMARY KEY (tenant_id, key)
) STRICT, WITHOUT ROWID;
