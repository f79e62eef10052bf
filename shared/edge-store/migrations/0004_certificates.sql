-- Read copies of the certificates that the Lambda plane issues and revokes: what anybody who knows a serial may see.

CREATE TABLE certificate (
    tenant_id TEXT NOT NULL,
    serial TEXT NOT NULL,
    person_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    -- As it was when the course was completed.
    title TEXT NOT NULL,
    -- The holder's name when it was issued, sealed under the person's key; NULL when there was no key any more.
    holder BLOB,
    completed_at INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (tenant_id, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_of_person ON certificate (tenant_id, person_id, issued_at DESC, serial DESC);
