-- Courses that other shops sell, reviews that wait for staff, and courses in the order of their rating.

-- Read copy: which shop sells a course, which is not for sale here then. It may arrive before its course does. NULLs once
-- it is sold here again.
CREATE TABLE sold_elsewhere (
    tenant_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    -- The shop's name.
    label TEXT,
    url TEXT,
    PRIMARY KEY (tenant_id, course_id),
    CHECK ((label IS NULL) = (url IS NULL))
) STRICT, WITHOUT ROWID;

-- The visits that a link brought or took: `source` is a shared link's mark, or `sold_elsewhere` for the way to that shop.
ALTER TABLE share_visit RENAME TO link_visit;

-- Whether reviews wait for staff before others see them.
ALTER TABLE tenant ADD COLUMN reviews_need_approval INTEGER NOT NULL DEFAULT 0 CHECK (reviews_need_approval IN (0, 1));

-- A review may wait. The tables are made anew, since a CHECK cannot be changed.
CREATE TABLE new_review (
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
CREATE TABLE new_review_report (
    tenant_id TEXT NOT NULL,
    review_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    settled_at INTEGER,
    PRIMARY KEY (tenant_id, review_id, person_id),
    FOREIGN KEY (tenant_id, review_id) REFERENCES new_review (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO new_review SELECT * FROM review;
INSERT INTO new_review_report SELECT * FROM review_report;
DROP TABLE review_report;
DROP TABLE review;
-- What refers to a table is renamed with it.
ALTER TABLE new_review RENAME TO review;
ALTER TABLE new_review_report RENAME TO review_report;
-- Ids lie in the order in which reviews were first written.
CREATE INDEX review_by_age ON review (tenant_id, course_id, id) WHERE state = 'shown';
CREATE INDEX review_by_stars ON review (tenant_id, course_id, stars, id) WHERE state = 'shown';
CREATE INDEX review_by_state ON review (tenant_id, state, id);
CREATE INDEX review_report_waiting ON review_report (tenant_id, review_id) WHERE settled_at IS NULL;
CREATE INDEX review_report_of_person ON review_report (tenant_id, person_id);

-- Where a course stands by its rating: the mean in hundredths of a star (akademi_domain::review), as it is shown, and of
-- courses with the same mean how many reviews they have. Every published course has a row.
ALTER TABLE course_figures ADD COLUMN standing INTEGER GENERATED ALWAYS AS (
    (200 * (stars_1 + 2 * stars_2 + 3 * stars_3 + 4 * stars_4 + 5 * stars_5)
        + stars_1 + stars_2 + stars_3 + stars_4 + stars_5)
    / max(1, 2 * (stars_1 + stars_2 + stars_3 + stars_4 + stars_5)) * 1000000000000
    + stars_1 + stars_2 + stars_3 + stars_4 + stars_5
) VIRTUAL;
CREATE INDEX course_figures_by_standing ON course_figures (tenant_id, standing, course_id);
INSERT INTO course_figures (tenant_id, course_id)
    SELECT tenant_id, id FROM course WHERE true ON CONFLICT (tenant_id, course_id) DO NOTHING;
