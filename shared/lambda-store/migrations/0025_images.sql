-- Pictures: what is made of uploads, and what is stored of it.

-- A file that is shown. Each content is there once in an academy, however many images it stands in.
CREATE TABLE picture (
    tenant_id uuid NOT NULL,
    -- The SHA-256 of its content and its extension.
    name text NOT NULL,
    bytes bigint NOT NULL CHECK (bytes > 0),
    PRIMARY KEY (tenant_id, name)
);
-- UPDATE is what SELECT … FOR UPDATE asks for.
SELECT protect_tenant_table('picture', 'SELECT, INSERT, UPDATE (bytes), DELETE', 'SELECT, DELETE');

-- What was made of an upload, cropped by a preset. The upload may be gone.
CREATE TABLE image (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    -- Who made it.
    user_id uuid NOT NULL,
    upload_id uuid NOT NULL,
    preset text NOT NULL,
    -- As JSON, always in one spelling.
    crop text NOT NULL,
    created_at bigint NOT NULL,
    -- Once all its files are in storage.
    ready_at bigint,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT image_once UNIQUE (tenant_id, upload_id, preset, crop)
);
-- What a page lists.
CREATE INDEX image_newest ON image (tenant_id, created_at DESC, id DESC) WHERE ready_at IS NOT NULL;
-- What the night looks for.
CREATE INDEX image_by_age ON image (created_at) WHERE ready_at IS NULL;
SELECT protect_tenant_table('image', 'SELECT, INSERT, UPDATE (ready_at), DELETE', 'SELECT, DELETE');

CREATE TABLE image_file (
    tenant_id uuid NOT NULL,
    image_id uuid NOT NULL,
    name text NOT NULL,
    -- Pixels.
    width int NOT NULL CHECK (width > 0),
    height int NOT NULL CHECK (height > 0),
    PRIMARY KEY (tenant_id, image_id, name),
    FOREIGN KEY (tenant_id, image_id) REFERENCES image (tenant_id, id),
    FOREIGN KEY (tenant_id, name) REFERENCES picture (tenant_id, name)
);
CREATE INDEX image_file_by_name ON image_file (tenant_id, name);
SELECT protect_tenant_table('image_file', 'SELECT, INSERT, DELETE', 'SELECT, DELETE');

-- The meter counts pictures too.
ALTER TABLE storage_use
    DROP COLUMN bytes,
    ADD COLUMN pictures bigint NOT NULL DEFAULT 0 CHECK (pictures >= 0);
ALTER TABLE storage_use
    ADD COLUMN bytes bigint NOT NULL GENERATED ALWAYS AS (files + playback + uploads + pictures) STORED;
GRANT INSERT (pictures), UPDATE (pictures) ON storage_use TO akademi_app;
GRANT UPDATE (pictures) ON storage_use TO akademi_platform;

-- As before, with one kind more, which its callers of before do not name.
DROP FUNCTION count_stored(uuid, bigint, bigint, bigint, boolean);
CREATE FUNCTION count_stored(
    academy uuid, more_files bigint, more_playback bigint, more_uploads bigint, is_limited boolean,
    more_pictures bigint DEFAULT 0
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    stored bigint;
BEGIN
    UPDATE storage_use
    SET files = files + more_files, playback = playback + more_playback, uploads = uploads + more_uploads,
        pictures = pictures + more_pictures
    WHERE tenant_id = academy RETURNING bytes INTO stored;
    IF NOT FOUND THEN
        -- Less of nothing: the academy is being deleted.
        IF more_files + more_playback + more_uploads + more_pictures <= 0 THEN
            RETURN;
        END IF;
        INSERT INTO storage_use AS mine (tenant_id, files, playback, uploads, pictures)
        VALUES (academy, more_files, more_playback, more_uploads, more_pictures)
        ON CONFLICT (tenant_id) DO UPDATE
        SET files = mine.files + excluded.files, playback = mine.playback + excluded.playback,
            uploads = mine.uploads + excluded.uploads, pictures = mine.pictures + excluded.pictures
        RETURNING bytes INTO stored;
    END IF;
    IF is_limited AND stored > (SELECT storage_limit FROM tenant WHERE id = academy) THEN
        RAISE EXCEPTION 'the storage of % is full', academy
            USING ERRCODE = 'check_violation', CONSTRAINT = 'storage_full', TABLE = 'storage_use';
    END IF;
END $$;

-- A picture's bytes never change: its name is their digest.
CREATE FUNCTION count_pictures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM count_stored(tenant_id, 0, 0, 0, true, sum(bytes)::bigint) FROM added GROUP BY tenant_id;
    ELSE
        PERFORM count_stored(tenant_id, 0, 0, 0, false, -sum(bytes)::bigint) FROM removed GROUP BY tenant_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER picture_added AFTER INSERT ON picture
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_pictures();
CREATE TRIGGER picture_removed AFTER DELETE ON picture
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_pictures();

-- Where images stand in courses: as the draft has them, and as everybody sees them. None of them can be deleted meanwhile.
CREATE TABLE course_image (
    tenant_id uuid NOT NULL,
    course_id uuid NOT NULL,
    is_published boolean NOT NULL,
    place text NOT NULL CHECK (place IN ('card', 'banner', 'gallery')),
    -- In the gallery, from 0.
    position smallint NOT NULL CHECK (position BETWEEN 0 AND CASE place WHEN 'gallery' THEN 4 ELSE 0 END),
    image_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, course_id, is_published, place, position),
    FOREIGN KEY (tenant_id, course_id) REFERENCES course_draft (tenant_id, id),
    FOREIGN KEY (tenant_id, image_id) REFERENCES image (tenant_id, id)
);
CREATE INDEX course_image_by_image ON course_image (tenant_id, image_id);
SELECT protect_tenant_table('course_image', 'SELECT, INSERT, DELETE', 'SELECT, DELETE');

-- The one video beside the gallery's images.
ALTER TABLE course_draft ADD COLUMN gallery_video jsonb;

-- What the academy's certificates show beside its name.
CREATE TABLE certificate_logo (
    tenant_id uuid PRIMARY KEY,
    image_id uuid NOT NULL,
    FOREIGN KEY (tenant_id, image_id) REFERENCES image (tenant_id, id)
);
SELECT protect_tenant_table('certificate_logo', 'SELECT, INSERT, UPDATE (image_id), DELETE', 'SELECT, DELETE');
