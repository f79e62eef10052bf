-- Rows of many kilobytes live in tables with row ids. In a WITHOUT ROWID table each comparison on the way to a row
-- reads the whole of the row that it meets there (https://sqlite.org/withoutrowid.html#when_to_use_without_rowid).

CREATE TABLE wide_course (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    slug TEXT NOT NULL,
    -- The published version that readers see.
    version INTEGER NOT NULL,
    title TEXT NOT NULL,
    summary TEXT NOT NULL,
    -- Modules, sections and lessons as JSON: titles, kinds, durations; no body, no answer.
    outline TEXT NOT NULL,
    lesson_count INTEGER NOT NULL,
    duration_seconds INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    -- Hidden from the catalog since then; who is enrolled keeps it.
    withdrawn_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, slug)
) STRICT;
INSERT INTO wide_course SELECT * FROM course;
DROP TABLE course;
ALTER TABLE wide_course RENAME TO course;
CREATE INDEX course_by_date ON course (tenant_id, published_at DESC, id DESC);

CREATE TABLE wide_lesson (
    tenant_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('video', 'html', 'document', 'quiz')),
    -- Of a video, in whole seconds, where it is known.
    duration_seconds INTEGER,
    -- What fulfils a required lesson, as JSON.
    requirement TEXT,
    body TEXT NOT NULL,
    title TEXT NOT NULL,
    -- Title and text, folded for search; indexed when the version becomes visible.
    words TEXT NOT NULL,
    PRIMARY KEY (tenant_id, course_id, version, id)
) STRICT;
INSERT INTO wide_lesson SELECT * FROM lesson;
DROP TABLE lesson;
ALTER TABLE wide_lesson RENAME TO lesson;

CREATE TABLE wide_answer_key (
    tenant_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    lesson_id TEXT NOT NULL,
    answers TEXT NOT NULL,
    PRIMARY KEY (tenant_id, course_id, version, lesson_id)
) STRICT;
INSERT INTO wide_answer_key SELECT * FROM answer_key;
DROP TABLE answer_key;
ALTER TABLE wide_answer_key RENAME TO answer_key;
