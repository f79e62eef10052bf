-- Roles, row-level security, feed, idempotency, jobs and the read copies of what the edge owns.
--
-- Times are bigint milliseconds since the Unix epoch and, like ids, always parameters: nothing here reads a clock.
-- Later tables are numbered files beside this one; each tenant table calls protect_tenant_table.

-- Roles belong to the whole server, so another database of it may have made them already, or be making them now.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['akademi_app NOLOGIN', 'akademi_platform NOLOGIN', 'akademi_login LOGIN NOINHERIT'] LOOP
        BEGIN
            EXECUTE 'CREATE ROLE ' || role;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
    FOREACH role IN ARRAY ARRAY['akademi_app', 'akademi_platform'] LOOP
        BEGIN
            IF NOT EXISTS (
                SELECT FROM pg_auth_members
                WHERE roleid = role::regrole AND member = 'akademi_login'::regrole
            ) THEN
                EXECUTE format('GRANT %I TO akademi_login', role);
            END IF;
        EXCEPTION WHEN unique_violation THEN NULL;
        END;
    END LOOP;
END $$;

-- Row-level security as every tenant table has it. The privileges are those of GRANT, columns included.
CREATE FUNCTION protect_tenant_table(
    relation regclass, app_privileges text, platform_privileges text, tenant_column name DEFAULT 'tenant_id'
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    mine text := format('%I = NULLIF(current_setting(''app.tenant'', true), '''')::uuid', tenant_column);
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY tenant ON %s TO akademi_app USING (%s) WITH CHECK (%s)', relation, mine, mine);
    EXECUTE format('CREATE POLICY platform ON %s TO akademi_platform USING (true) WITH CHECK (true)', relation);
    EXECUTE format('GRANT %s ON %s TO akademi_app', app_privileges, relation);
    EXECUTE format('GRANT %s ON %s TO akademi_platform', platform_privileges, relation);
END $$;
REVOKE ALL ON FUNCTION protect_tenant_table(regclass, text, text, name) FROM PUBLIC;

-- Readiness compares the ledger with the migrations that a function was built with.
GRANT SELECT ON _sqlx_migrations TO akademi_app, akademi_platform;

-- Feed out. The id gives the insertion order; the number is what readers go by, given by the publisher.
CREATE TABLE feed_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number bigint CONSTRAINT feed_event_number UNIQUE,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    version int NOT NULL CHECK (version > 0),
    payload jsonb NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX feed_event_unnumbered ON feed_event (id) WHERE number IS NULL;
SELECT protect_tenant_table(
    'feed_event', 'INSERT (tenant_id, kind, version, payload, created_at)', 'SELECT, UPDATE (number), DELETE');

-- One row. The epoch is random, so that a database made anew never passes for the one that was there before.
CREATE TABLE feed_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    source text NOT NULL,
    epoch text NOT NULL,
    last_number bigint NOT NULL DEFAULT 0,
    acknowledged bigint NOT NULL DEFAULT 0,
    CONSTRAINT feed_state_acknowledged CHECK (acknowledged BETWEEN 0 AND last_number)
);
INSERT INTO feed_state (source, epoch) VALUES ('lambda', gen_random_uuid()::text);
GRANT SELECT, UPDATE ON feed_state TO akademi_platform;

-- Feed in: how far each source has been applied here.
CREATE TABLE feed_cursor (
    source text PRIMARY KEY,
    epoch text NOT NULL,
    number bigint NOT NULL CHECK (number >= 0)
);
GRANT SELECT, INSERT, UPDATE ON feed_cursor TO akademi_platform;

CREATE TABLE idempotency (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done')),
    -- Counts who has held the record: a holder whose lease ran out cannot finish it.
    fence int NOT NULL,
    lease_until bigint NOT NULL,
    status smallint,
    headers jsonb,
    body bytea,
    created_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, user_id, route, key),
    CHECK (state = 'running' OR (status IS NOT NULL AND headers IS NOT NULL AND body IS NOT NULL))
);
CREATE INDEX idempotency_created ON idempotency (created_at);
SELECT protect_tenant_table('idempotency', 'SELECT, INSERT, UPDATE', 'SELECT, DELETE');

CREATE TABLE job (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    dedupe_key text,
    payload jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    attempts int NOT NULL DEFAULT 0,
    max_attempts int NOT NULL CHECK (max_attempts > 0),
    progress_permille int NOT NULL DEFAULT 0 CHECK (progress_permille BETWEEN 0 AND 1000),
    -- For people: what it is doing, or why it failed.
    message text NOT NULL DEFAULT '',
    result jsonb,
    -- When a worker may take it: at its start, after a pause, or when the lease of whoever runs it ends.
    due_at bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT job_dedupe UNIQUE (tenant_id, kind, dedupe_key)
);
CREATE INDEX job_due ON job (kind, due_at, id) WHERE state IN ('queued', 'running');
SELECT protect_tenant_table('job', 'SELECT, INSERT, UPDATE', 'SELECT, UPDATE, DELETE');

-- Read copies: the edge owns these facts, the feed brings them. So no foreign keys: an event may come before the
-- one that it refers to.
CREATE TABLE tenant (
    id uuid PRIMARY KEY,
    slug text NOT NULL CONSTRAINT tenant_slug UNIQUE,
    name text NOT NULL,
    locale text NOT NULL,
    state text NOT NULL,
    brand jsonb NOT NULL,
    domains text[] NOT NULL,
    updated_at bigint NOT NULL
);
SELECT protect_tenant_table('tenant', 'SELECT, INSERT, UPDATE', 'SELECT', 'id');

CREATE TABLE person (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    -- Keyed hash of the folded address; null once the person is erased.
    email_lookup bytea,
    sealed_profile bytea,
    state text NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX person_email ON person (tenant_id, email_lookup);
SELECT protect_tenant_table('person', 'SELECT, INSERT, UPDATE', 'SELECT');

-- The person's key under this plane's tenant key. Erasing a person deletes the row.
CREATE TABLE person_key (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);
SELECT protect_tenant_table('person_key', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT');

CREATE TABLE enrolment (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    -- What gave it: order, code, staff.
    source text NOT NULL,
    created_at bigint NOT NULL,
    completed_at bigint,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX enrolment_course ON enrolment (tenant_id, course_id, user_id);
SELECT protect_tenant_table('enrolment', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT');

CREATE TABLE progress_summary (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    lesson_id uuid NOT NULL,
    course_id uuid NOT NULL,
    seconds bigint NOT NULL CHECK (seconds >= 0),
    permille int NOT NULL CHECK (permille BETWEEN 0 AND 1000),
    completed_at bigint,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, user_id, lesson_id)
);
CREATE INDEX progress_summary_course ON progress_summary (tenant_id, course_id);
SELECT protect_tenant_table('progress_summary', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT');
