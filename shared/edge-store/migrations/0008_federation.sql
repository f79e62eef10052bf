-- Signing in elsewhere.

-- Read copy: the academy's identity providers as everybody may see them.
CREATE TABLE identity_provider (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Who somebody is elsewhere.
CREATE TABLE identity (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    -- Which provider it came by first; its issuer is what counts.
    provider TEXT NOT NULL,
    -- HMAC of issuer and subject under a key of the academy.
    subject_lookup BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, subject_lookup),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_of_person ON identity (tenant_id, person_id);

-- A browser on its way: to a provider, back from it with a code, or known there and waiting for its owner's word. Its cookie is
-- what state, nonce and verifier are derived from.
CREATE TABLE provider_sign_in (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    -- HMAC of the cookie.
    browser BLOB NOT NULL,
    provider TEXT NOT NULL,
    issuer TEXT NOT NULL,
    -- Whether the issuer must be named by whoever comes back (RFC 9207).
    names_issuer INTEGER NOT NULL CHECK (names_issuer IN (0, 1)),
    redirect_uri TEXT NOT NULL,
    -- A path of the academy's own host.
    return_to TEXT NOT NULL,
    -- Sealed; of who has come back.
    code BLOB,
    -- Of who is known.
    subject_lookup BLOB,
    -- HMAC of the address that the provider answers for, as a person's.
    email_lookup BLOB,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, browser)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_sign_in_by_end ON provider_sign_in (tenant_id, expires_at);
