-- Files that are sent in parts, and what an academy stores, counted where it is stored.

CREATE TABLE upload (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    -- Whose it is.
    user_id uuid NOT NULL,
    file_name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('document', 'image', 'audio', 'video')),
    bytes bigint NOT NULL CHECK (bytes > 0),
    -- The size of all parts but the last.
    part_bytes bigint NOT NULL CHECK (part_bytes > 0),
    -- What was given up stays until its parts are gone and nobody can send more of them.
    state text NOT NULL CHECK (state IN ('open', 'complete', 'given_up')),
    content_type text,
    created_at bigint NOT NULL,
    completed_at bigint,
    -- What it takes of the academy's storage, from the moment on when it is asked for.
    reserved bigint NOT NULL GENERATED ALWAYS AS (CASE state WHEN 'given_up' THEN 0 ELSE bytes END) STORED,
    PRIMARY KEY (tenant_id, id),
    CHECK ((state = 'complete') = (content_type IS NOT NULL) AND (state = 'complete') = (completed_at IS NOT NULL))
);
-- What the night looks for.
CREATE INDEX upload_by_age ON upload (created_at) WHERE state <> 'complete';
SELECT protect_tenant_table(
    'upload', 'SELECT, INSERT, UPDATE (state, content_type, completed_at)', 'SELECT, UPDATE (state), DELETE');

-- The checksum of a part, as it was announced first.
CREATE TABLE upload_part (
    tenant_id uuid NOT NULL,
    upload_id uuid NOT NULL,
    -- From 1.
    number bigint NOT NULL CHECK (number > 0),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    PRIMARY KEY (tenant_id, upload_id, number),
    FOREIGN KEY (tenant_id, upload_id) REFERENCES upload (tenant_id, id)
);
SELECT protect_tenant_table('upload_part', 'SELECT, INSERT', 'SELECT, DELETE');

-- What a transcoded video takes, by what its manifest says of its files.
CREATE FUNCTION bytes_of_manifest(manifest jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    $$ SELECT COALESCE(sum((file ->> 'bytes')::bigint), 0)::bigint FROM jsonb_array_elements(manifest -> 'files') AS file $$;
ALTER TABLE asset
    ADD COLUMN playback_bytes bigint NOT NULL GENERATED ALWAYS AS (bytes_of_manifest(manifest)) STORED;

-- One row for each academy that stores something. Triggers of the tables whose rows say what is stored keep it, so no code
-- can forget it; who changes it locks it, so of those who store at once each sees what the others do.
CREATE TABLE storage_use (
    tenant_id uuid PRIMARY KEY,
    -- Files of courses, as they were sent.
    files bigint NOT NULL CHECK (files >= 0),
    -- What was transcoded from them.
    playback bigint NOT NULL CHECK (playback >= 0),
    uploads bigint NOT NULL CHECK (uploads >= 0),
    bytes bigint NOT NULL GENERATED ALWAYS AS (files + playback + uploads) STORED
);

-- What there is already; its policies would hide it from the owner of the tables.
ALTER TABLE asset NO FORCE ROW LEVEL SECURITY;
INSERT INTO storage_use (tenant_id, files, playback, uploads)
SELECT tenant_id, sum(bytes), sum(playback_bytes), 0 FROM asset GROUP BY tenant_id;
ALTER TABLE asset FORCE ROW LEVEL SECURITY;

-- The platform deletes what academies stored, and the row with it.
SELECT protect_tenant_table(
    'storage_use', 'SELECT, INSERT (tenant_id, files, playback, uploads), UPDATE (files, playback, uploads)',
    'SELECT, UPDATE (files, playback, uploads), DELETE');

-- Adds to what an academy stores. What is_limited is refused where it would be more than the academy's limit.
CREATE FUNCTION count_stored(
    academy uuid, more_files bigint, more_playback bigint, more_uploads bigint, is_limited boolean
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    stored bigint;
BEGIN
    UPDATE storage_use
    SET files = files + more_files, playback = playback + more_playback, uploads = uploads + more_uploads
    WHERE tenant_id = academy RETURNING bytes INTO stored;
    IF NOT FOUND THEN
        -- Less of nothing: the academy is being deleted.
        IF more_files + more_playback + more_uploads <= 0 THEN
            RETURN;
        END IF;
        INSERT INTO storage_use AS mine (tenant_id, files, playback, uploads)
        VALUES (academy, more_files, more_playback, more_uploads)
        ON CONFLICT (tenant_id) DO UPDATE
        SET files = mine.files + excluded.files, playback = mine.playback + excluded.playback,
            uploads = mine.uploads + excluded.uploads
        RETURNING bytes INTO stored;
    END IF;
    IF is_limited AND stored > (SELECT storage_limit FROM tenant WHERE id = academy) THEN
        RAISE EXCEPTION 'the storage of % is full', academy
            USING ERRCODE = 'check_violation', CONSTRAINT = 'storage_full', TABLE = 'storage_use';
    END IF;
END $$;

-- New files are refused beyond the limit. What is transcoded from a video that was taken is only counted.
CREATE FUNCTION count_assets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM count_stored(tenant_id, sum(bytes)::bigint, sum(playback_bytes)::bigint, 0, true)
        FROM added GROUP BY tenant_id;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM count_stored(tenant_id, -sum(bytes)::bigint, -sum(playback_bytes)::bigint, 0, false)
        FROM removed GROUP BY tenant_id;
    ELSE
        PERFORM count_stored(tenant_id, sum(files)::bigint, sum(playback)::bigint, 0, false)
        FROM (SELECT tenant_id, bytes AS files, playback_bytes AS playback FROM added
              UNION ALL SELECT tenant_id, -bytes, -playback_bytes FROM removed) AS changed
        GROUP BY tenant_id HAVING sum(files) <> 0 OR sum(playback) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER asset_added AFTER INSERT ON asset
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_assets();
CREATE TRIGGER asset_changed AFTER UPDATE ON asset
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_assets();
CREATE TRIGGER asset_removed AFTER DELETE ON asset
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_assets();

CREATE FUNCTION count_uploads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM count_stored(tenant_id, 0, 0, sum(reserved)::bigint, true) FROM added GROUP BY tenant_id;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM count_stored(tenant_id, 0, 0, -sum(reserved)::bigint, false)
        FROM removed GROUP BY tenant_id HAVING sum(reserved) <> 0;
    ELSE
        -- Always in one order, since the night gives up those of many academies at once.
        PERFORM count_stored(tenant_id, 0, 0, sum(change)::bigint, false)
        FROM (SELECT tenant_id, reserved AS change FROM added
              UNION ALL SELECT tenant_id, -reserved FROM removed) AS changed
        GROUP BY tenant_id HAVING sum(change) <> 0 ORDER BY tenant_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER upload_added AFTER INSERT ON upload
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_uploads();
CREATE TRIGGER upload_changed AFTER UPDATE ON upload
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_uploads();
CREATE TRIGGER upload_removed AFTER DELETE ON upload
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_uploads();
