-- Read copies of published courses, and what learners do with them.

CREATE TABLE course (
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
) STRICT, WITHOUT ROWID;
CREATE INDEX course_by_date ON course (tenant_id, published_at DESC, id DESC);

-- Lesson bodies and answer keys arrive under their version before the course's row shows it. They are rows of
-- their own with readers of their own: a public page never touches them.
CREATE TABLE lesson (
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
) STRICT, WITHOUT ROWID;

CREATE TABLE answer_key (
    tenant_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    lesson_id TEXT NOT NULL,
    answers TEXT NOT NULL,
    PRIMARY KEY (tenant_id, course_id, version, lesson_id)
) STRICT, WITHOUT ROWID;

-- The words of what readers see, folded for Turkish. `scope` holds one word for the academy and one for the
-- course: a search reads its academy's rows only, a publication replaces its course's.
CREATE VIRTUAL TABLE course_search USING fts5 (
    scope, words, tenant_id UNINDEXED, course_id UNINDEXED, lesson_id UNINDEXED, title UNINDEXED,
    tokenize = 'unicode61'
);

CREATE TABLE enrolment (
    tenant_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    id TEXT NOT NULL,
    -- What gave it: an order's line, staff.
    source TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    completed_at INTEGER,
    PRIMARY KEY (tenant_id, person_id, course_id)
) STRICT, WITHOUT ROWID;

-- What a learner did with a lesson.
CREATE TABLE progress (
    tenant_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    lesson_id TEXT NOT NULL,
    -- The set of whole seconds watched, encoded by akademi_domain::watch.
    watched BLOB NOT NULL,
    seconds INTEGER NOT NULL,
    -- Where to resume, and when the learner was there: the newest wins.
    position_seconds INTEGER NOT NULL,
    position_at INTEGER NOT NULL,
    refused_seconds INTEGER NOT NULL,
    opened_at INTEGER,
    -- The best attempt of a quiz.
    score_points INTEGER,
    score_max INTEGER,
    attempts INTEGER NOT NULL,
    completed_at INTEGER,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, person_id, course_id, lesson_id)
) STRICT, WITHOUT ROWID;

-- The clock that bounds how fast a learner's watched seconds may grow, over all playback at once.
CREATE TABLE learner_clock (
    tenant_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    state BLOB NOT NULL,
    -- Moves with every heartbeat: the batch that credits one is refused if another came between.
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, person_id)
) STRICT, WITHOUT ROWID;
