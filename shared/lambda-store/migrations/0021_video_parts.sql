-- Videos that several workers share, and videos that are encrypted.

-- What segments are encrypted with (RFC 8216 §4.3.2.4); whoever may watch the video gets it.
ALTER TABLE asset ADD COLUMN content_key bytea CHECK (octet_length(content_key) = 16);

-- What is to be made of a long video, while its parts are made.
CREATE TABLE transcode_plan (
    tenant_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    -- The video's job, which waits for its parts.
    job_id uuid NOT NULL,
    plan jsonb NOT NULL,
    PRIMARY KEY (tenant_id, asset_id),
    FOREIGN KEY (tenant_id, asset_id) REFERENCES asset (tenant_id, id)
);
-- UPDATE is what SELECT … FOR UPDATE asks for.
SELECT protect_tenant_table('transcode_plan', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, DELETE');

CREATE TABLE transcode_part (
    tenant_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    -- From 0; pictures in their order, then the sound.
    number int NOT NULL,
    part jsonb NOT NULL,
    -- Once it is done: its folder below that of the video, and what is in it.
    folder text,
    made jsonb,
    PRIMARY KEY (tenant_id, asset_id, number),
    FOREIGN KEY (tenant_id, asset_id) REFERENCES transcode_plan (tenant_id, asset_id),
    CHECK ((folder IS NULL) = (made IS NULL))
);
SELECT protect_tenant_table('transcode_part', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, DELETE');

-- How an academy has its videos; without a row, they are not encrypted.
CREATE TABLE video_settings (
    tenant_id uuid PRIMARY KEY,
    encrypted boolean NOT NULL,
    updated_at bigint NOT NULL
);
SELECT protect_tenant_table('video_settings', 'SELECT, INSERT, UPDATE', 'SELECT, DELETE');
