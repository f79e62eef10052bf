-- What an academy stores, counted where it is stored.

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
    bytes bigint NOT NULL GENERATED ALWAYS AS (files + playback) STORED
);

-- What there is already; its policies would hide it from the owner of the tables.
ALTER TABLE asset NO FORCE ROW LEVEL SECURITY;
INSERT INTO storage_use (tenant_id, files, playback)
SELECT tenant_id, sum(bytes), sum(playback_bytes) FROM asset GROUP BY tenant_id;
ALTER TABLE asset FORCE ROW LEVEL SECURITY;

-- The platform deletes what academies stored, and the row with it.
SELECT protect_tenant_table(
    'storage_use', 'SELECT, INSERT (tenant_id, files, playback), UPDATE (files, playback)', 'SELECT, UPDATE, DELETE');

-- Adds to what an academy stores. What is_limited is refused where it would be more than the academy's limit.
CREATE FUNCTION count_stored(academy uuid, more_files bigint, more_playback bigint, is_limited boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    stored bigint;
BEGIN
    UPDATE storage_use SET files = files + more_files, playback = playback + more_playback
    WHERE tenant_id = academy RETURNING bytes INTO stored;
    IF NOT FOUND THEN
        -- Less of nothing: the academy is being deleted.
        IF more_files + more_playback <= 0 THEN
            RETURN;
        END IF;
        INSERT INTO storage_use AS mine (tenant_id, files, playback) VALUES (academy, more_files, more_playback)
        ON CONFLICT (tenant_id) DO UPDATE
        SET files = mine.files + excluded.files, playback = mine.playback + excluded.playback
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
        PERFORM count_stored(tenant_id, sum(bytes)::bigint, sum(playback_bytes)::bigint, true)
        FROM added GROUP BY tenant_id;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM count_stored(tenant_id, -sum(bytes)::bigint, -sum(playback_bytes)::bigint, false)
        FROM removed GROUP BY tenant_id;
    ELSE
        PERFORM count_stored(tenant_id, sum(files)::bigint, sum(playback)::bigint, false)
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
