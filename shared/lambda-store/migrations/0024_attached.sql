-- Uploads that become files of courses.

-- An attached upload is counted as the file of its course. One that is being scanned is whole, and nobody can use it yet.
DROP INDEX upload_by_age;
ALTER TABLE upload
    DROP COLUMN reserved,
    DROP CONSTRAINT upload_state_check,
    DROP CONSTRAINT upload_check;
ALTER TABLE upload
    ADD COLUMN reserved bigint NOT NULL
        GENERATED ALWAYS AS (CASE WHEN state IN ('given_up', 'attached') THEN 0 ELSE bytes END) STORED,
    ADD CONSTRAINT upload_state_check CHECK (state IN ('open', 'scanning', 'complete', 'attached', 'given_up')),
    ADD CONSTRAINT upload_check CHECK (
        state = 'given_up'
        OR (state = 'open') = (content_type IS NULL)
           AND (state IN ('complete', 'attached')) = (completed_at IS NOT NULL));
-- What the night looks for.
CREATE INDEX upload_by_age ON upload (created_at) WHERE state NOT IN ('complete', 'attached');
-- What a page lists.
CREATE INDEX upload_by_owner ON upload (tenant_id, user_id, created_at, id) WHERE state NOT IN ('given_up', 'attached');

ALTER TABLE asset
    -- The upload that it was; its key in storage is then the folder of the parts, and each part has its own checksum.
    ADD COLUMN upload_id uuid,
    ADD CONSTRAINT asset_upload UNIQUE (tenant_id, upload_id),
    ADD FOREIGN KEY (tenant_id, upload_id) REFERENCES upload (tenant_id, id),
    ALTER COLUMN sha256 DROP NOT NULL,
    ADD CHECK ((upload_id IS NULL) = (sha256 IS NOT NULL));

-- As before, but what was an upload is no new file: it was counted and let in when it was asked for.
CREATE OR REPLACE FUNCTION count_assets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM count_stored(
            tenant_id, sum(bytes)::bigint, sum(playback_bytes)::bigint, 0, bool_or(upload_id IS NULL))
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
