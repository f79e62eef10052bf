-- Read copies of what plays a video, and which of its seconds were handed to whom.

CREATE TABLE video (
    tenant_id TEXT NOT NULL,
    asset_id TEXT NOT NULL,
    -- Where its files are in storage.
    folder TEXT NOT NULL,
    duration_ms INTEGER NOT NULL,
    -- The picture that stands for it, below the folder.
    poster TEXT,
    PRIMARY KEY (tenant_id, asset_id)
) STRICT, WITHOUT ROWID;

-- Playlists and lists of small pictures. They arrive before the video's row names their folder.
CREATE TABLE playlist (
    tenant_id TEXT NOT NULL,
    asset_id TEXT NOT NULL,
    folder TEXT NOT NULL,
    path TEXT NOT NULL,
    -- The text, compressed (RFC 1951), in base64.
    deflated TEXT NOT NULL,
    PRIMARY KEY (tenant_id, asset_id, folder, path)
) STRICT;

-- Segments of lessons whose seconds count only where they were handed out.
CREATE TABLE delivery (
    tenant_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    lesson_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    -- The whole seconds that the segment holds any of, without the last.
    from_second INTEGER NOT NULL,
    to_second INTEGER NOT NULL,
    delivered_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, person_id, lesson_id, session_id, from_second)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_by_date ON delivery (tenant_id, delivered_at);
