-- Certificates of completion; events of the edge that could not be applied here.

CREATE TABLE certificate (
    tenant_id uuid NOT NULL,
    -- 128 random bits: whoever knows them may see what the certificate says. A UUID in size alone.
    serial uuid NOT NULL,
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    -- What was completed; read copies have no foreign keys.
    enrolment_id uuid NOT NULL,
    -- As it was.
    course_title text NOT NULL,
    -- The holder's name when it was issued, sealed with the person's key; null if the person was erased before.
    sealed_holder bytea,
    completed_at bigint NOT NULL,
    issued_at bigint NOT NULL,
    revoked_at bigint,
    revoked_by uuid,
    -- For the academy's staff, sealed with the holder's key; null if that was gone.
    sealed_revocation_reason bytea,
    PRIMARY KEY (tenant_id, serial),
    -- However often a completion is told.
    CONSTRAINT certificate_enrolment UNIQUE (tenant_id, enrolment_id),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
    CHECK (revoked_at IS NOT NULL OR sealed_revocation_reason IS NULL)
);
CREATE INDEX certificate_newest ON certificate (tenant_id, issued_at DESC, serial DESC);
CREATE INDEX certificate_of_course ON certificate (tenant_id, course_id, issued_at DESC, serial DESC);
-- What a certificate says never changes; it is revoked and stays.
SELECT protect_tenant_table(
    'certificate', 'SELECT, INSERT, UPDATE (revoked_at, revoked_by, sealed_revocation_reason)', 'SELECT');
