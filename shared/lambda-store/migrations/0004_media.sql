-- Imports of courses, the files that they bring, and what is transcoded from them.

-- An archive that somebody may send. Its job has the same id, once the import is started.
CREATE TABLE course_import (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    file_name text NOT NULL,
    bytes bigint NOT NULL CHECK (bytes > 0),
    created_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
-- UPDATE is what SELECT … FOR UPDATE asks for.
SELECT protect_tenant_table('course_import', 'SELECT, INSERT, UPDATE', 'SELECT');

CREATE TABLE asset (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    -- Who may see the course may see its files.
    course_id uuid NOT NULL,
    -- Where the archive had it, below its folder of files: the same in every later export of the course.
    path text NOT NULL,
    content_type text NOT NULL,
    bytes bigint NOT NULL CHECK (bytes >= 0),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    object_key text NOT NULL,
    -- ready: all that is served of it is there. A video that a lesson plays is transcoding before.
    state text NOT NULL CHECK (state IN ('transcoding', 'ready', 'failed')),
    -- For people: why a video could not be transcoded.
    failure text,
    -- Of a transcoded video: the folder of its HLS in storage, what is in it, and its length.
    playback_key text,
    manifest jsonb,
    duration_ms bigint CHECK (duration_ms > 0),
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT asset_path UNIQUE (tenant_id, course_id, path),
    FOREIGN KEY (tenant_id, course_id) REFERENCES course_draft (tenant_id, id),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK ((playback_key IS NULL) = (manifest IS NULL) AND (manifest IS NULL) = (duration_ms IS NULL)),
    CHECK (manifest IS NULL OR state = 'ready')
);
SELECT protect_tenant_table('asset', 'SELECT, INSERT, UPDATE', 'SELECT');

-- Blocks of an import that no lesson shows, as the archive had them.
CREATE TABLE raw_block (
    tenant_id uuid NOT NULL,
    course_id uuid NOT NULL,
    source_key text NOT NULL,
    kind text NOT NULL,
    title text,
    olx text NOT NULL,
    PRIMARY KEY (tenant_id, course_id, source_key),
    FOREIGN KEY (tenant_id, course_id) REFERENCES course_draft (tenant_id, id)
);
SELECT protect_tenant_table('raw_block', 'SELECT, INSERT', 'SELECT');
