-- Activation codes. None is stored: a code is its batch's and its own number under a keyed hash.

-- Codes that an academy made together.
CREATE TABLE activation_batch (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    -- Its codes hold it.
    number INTEGER NOT NULL CONSTRAINT batch_numbers CHECK (number BETWEEN 1 AND 65535),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    count INTEGER NOT NULL,
    uses_per_code INTEGER NOT NULL,
    -- Its codes are good from one moment on until before the other.
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    -- Of all its codes.
    uses INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX activation_batch_by_age ON activation_batch (tenant_id, created_at, id);

-- What its codes give.
CREATE TABLE activation_batch_course (
    tenant_id TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, batch_id, course_id),
    FOREIGN KEY (tenant_id, batch_id) REFERENCES activation_batch (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- How often a code that has been used was used.
CREATE TABLE activation_code (
    tenant_id TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    -- Among its batch's, from 1 on.
    number INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, batch_id, number),
    FOREIGN KEY (tenant_id, batch_id) REFERENCES activation_batch (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- By whom.
CREATE TABLE activation_use (
    tenant_id TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    code_number INTEGER NOT NULL,
    person_id TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, batch_id, code_number, person_id),
    FOREIGN KEY (tenant_id, batch_id) REFERENCES activation_batch (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX activation_use_by_time ON activation_use (tenant_id, batch_id, used_at, person_id, code_number);

-- Answers to writes that came with an Idempotency-Key, kept in the step of the write itself.
CREATE TABLE idempotency (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    person_id TEXT NOT NULL,
    -- As `POST /api/v1/…`.
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    -- SHA-256 of the request's body.
    fingerprint BLOB NOT NULL,
    status INTEGER NOT NULL,
    -- Names and values as JSON.
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, person_id, route, key)
) STRICT, WITHOUT ROWID;
