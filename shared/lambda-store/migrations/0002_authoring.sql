-- Courses as their authors work on them, and what of them is published.

-- Titles, lengths and requirements stand in `structure`, bodies in rows of their own: renaming a lesson rewrites one small
-- row, and a changed body rewrites that body alone.
CREATE TABLE course_draft (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    slug text NOT NULL,
    title text NOT NULL,
    summary text NOT NULL,
    -- BCP 47
    language text,
    -- Modules, sections and lessons in order, as the public outline has them.
    structure jsonb NOT NULL,
    -- Counts the changes of the draft.
    revision bigint NOT NULL CHECK (revision > 0),
    -- 0 before the first publication.
    published_version bigint NOT NULL CHECK (published_version >= 0),
    published_at bigint,
    owner_id uuid NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CHECK ((published_version = 0) = (published_at IS NULL))
);
CREATE INDEX course_draft_newest ON course_draft (tenant_id, created_at DESC, id DESC);
SELECT protect_tenant_table('course_draft', 'SELECT, INSERT, UPDATE', 'SELECT');

-- Every slug that a course has ever had is its own for good: old links lead to no other course, and readers of the feed
-- never meet two courses with one slug, whichever of them is published first.
CREATE TABLE course_slug (
    tenant_id uuid NOT NULL,
    slug text NOT NULL,
    course_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, slug),
    FOREIGN KEY (tenant_id, course_id) REFERENCES course_draft (tenant_id, id)
);
SELECT protect_tenant_table('course_slug', 'SELECT, INSERT, UPDATE (course_id)', 'SELECT');

CREATE TABLE lesson_draft (
    tenant_id uuid NOT NULL,
    course_id uuid NOT NULL,
    id uuid NOT NULL,
    body jsonb NOT NULL,
    -- Of a quiz: what only the server knows.
    answers jsonb,
    PRIMARY KEY (tenant_id, course_id, id),
    FOREIGN KEY (tenant_id, course_id) REFERENCES course_draft (tenant_id, id)
);
SELECT protect_tenant_table('lesson_draft', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT');

-- The newest publication: what a rebuild of the edge's copy reads when the feed has been pruned.
CREATE TABLE course_publication (
    tenant_id uuid NOT NULL,
    course_id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    summary text NOT NULL,
    outline jsonb NOT NULL,
    published_by uuid NOT NULL,
    published_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, course_id),
    FOREIGN KEY (tenant_id, course_id) REFERENCES course_draft (tenant_id, id)
);
SELECT protect_tenant_table('course_publication', 'SELECT, INSERT, UPDATE', 'SELECT');

CREATE TABLE lesson_publication (
    tenant_id uuid NOT NULL,
    course_id uuid NOT NULL,
    id uuid NOT NULL,
    body jsonb NOT NULL,
    answers jsonb,
    PRIMARY KEY (tenant_id, course_id, id),
    FOREIGN KEY (tenant_id, course_id) REFERENCES course_publication (tenant_id, course_id)
);
SELECT protect_tenant_table('lesson_publication', 'SELECT, INSERT, DELETE', 'SELECT');
