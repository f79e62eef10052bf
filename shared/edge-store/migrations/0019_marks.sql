-- Live classes and assignments, and what staff says of learners' part in them.

CREATE TABLE lesson_of_any_kind (
    tenant_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('video', 'html', 'document', 'quiz', 'live', 'assignment')),
    -- Of a video, in whole seconds, where it is known.
    duration_seconds INTEGER,
    -- What fulfils a required lesson, as JSON.
    requirement TEXT,
    body TEXT NOT NULL,
    title TEXT NOT NULL,
    -- Title and text, folded for search; indexed when the version becomes visible.
    words TEXT NOT NULL,
    -- What the lesson's module waits for, as JSON.
    opens TEXT,
    PRIMARY KEY (tenant_id, course_id, version, id)
) STRICT;
INSERT INTO lesson_of_any_kind SELECT * FROM lesson;
DROP TABLE lesson;
ALTER TABLE lesson_of_any_kind RENAME TO lesson;

-- Since when staff says that the learner attended the live class, or that what they handed in is accepted.
ALTER TABLE progress ADD COLUMN marked_at INTEGER;
-- What staff lists.
CREATE INDEX progress_marked ON progress (tenant_id, course_id, lesson_id, person_id) WHERE marked_at IS NOT NULL;
