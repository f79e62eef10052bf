-- What learners say of courses, what people like, and where visitors come from.

-- Whose course it is: who may moderate its reviews without seeing to everybody's. NULL before its next publication.
ALTER TABLE course ADD COLUMN owner_id TEXT;

-- Whether reviews wait for staff before others see them.
ALTER TABLE tenant ADD COLUMN reviews_need_approval INTEGER NOT NULL DEFAULT 0 CHECK (reviews_need_approval IN (0, 1));

-- One of each learner and course. It outlives the enrolment: who gives a course back has seen it all the same.
CREATE TABLE review (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
    -- NULL for stars alone.
    text TEXT,
    state TEXT NOT NULL CHECK (state IN ('shown', 'waiting', 'hidden')),
    -- Why it is hidden: a reason of the list, and what the author is told beside it.
    hidden_reason TEXT,
    hidden_note TEXT,
    hidden_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, person_id, course_id),
    CHECK ((state = 'hidden') = (hidden_reason IS NOT NULL) AND (state = 'hidden') = (hidden_at IS NOT NULL))
) STRICT;
-- Ids lie in the order in which reviews were first written.
CREATE INDEX review_by_age ON review (tenant_id, course_id, id) WHERE state = 'shown';
CREATE INDEX review_by_stars ON review (tenant_id, course_id, stars, id) WHERE state = 'shown';
CREATE INDEX review_by_state ON review (tenant_id, state, id);

-- That somebody finds fault with a review. It waits until staff has decided.
CREATE TABLE review_report (
    tenant_id TEXT NOT NULL,
    review_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    settled_at INTEGER,
    PRIMARY KEY (tenant_id, review_id, person_id),
    FOREIGN KEY (tenant_id, review_id) REFERENCES review (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX review_report_waiting ON review_report (tenant_id, review_id) WHERE settled_at IS NULL;
CREATE INDEX review_report_of_person ON review_report (tenant_id, person_id);

CREATE TABLE course_like (
    tenant_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, person_id, course_id)
) STRICT, WITHOUT ROWID;

-- Counts of what is shown, each kept in the batch of what it counts: how many reviews give so many stars, how many people
-- like the course. Every published course has a row.
CREATE TABLE course_figures (
    tenant_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    stars_1 INTEGER NOT NULL DEFAULT 0 CHECK (stars_1 >= 0),
    stars_2 INTEGER NOT NULL DEFAULT 0 CHECK (stars_2 >= 0),
    stars_3 INTEGER NOT NULL DEFAULT 0 CHECK (stars_3 >= 0),
    stars_4 INTEGER NOT NULL DEFAULT 0 CHECK (stars_4 >= 0),
    stars_5 INTEGER NOT NULL DEFAULT 0 CHECK (stars_5 >= 0),
    likes INTEGER NOT NULL DEFAULT 0 CHECK (likes >= 0),
    -- Where the course stands by its rating: the mean in hundredths of a star (akademi_domain::review), as it is shown, and of
    -- courses with the same mean how many reviews they have.
    standing INTEGER GENERATED ALWAYS AS (
        (200 * (stars_1 + 2 * stars_2 + 3 * stars_3 + 4 * stars_4 + 5 * stars_5)
            + stars_1 + stars_2 + stars_3 + stars_4 + stars_5)
        / max(1, 2 * (stars_1 + stars_2 + stars_3 + stars_4 + stars_5)) * 1000000000000
        + stars_1 + stars_2 + stars_3 + stars_4 + stars_5
    ) VIRTUAL,
    PRIMARY KEY (tenant_id, course_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX course_figures_by_standing ON course_figures (tenant_id, standing, course_id);
INSERT INTO course_figures (tenant_id, course_id) SELECT tenant_id, id FROM course;

-- Marks that somebody has asked a link for: others count nothing.
CREATE TABLE share_link (
    tenant_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, course_id, source)
) STRICT, WITHOUT ROWID;

-- How many visits a link brought or took on a day (days since 1970-01-01): `source` is a shared link's mark, or
-- `sold_elsewhere` for the way to another shop. Nothing of who came.
CREATE TABLE link_visit (
    tenant_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    source TEXT NOT NULL,
    visits INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, course_id, day, source)
) STRICT, WITHOUT ROWID;
