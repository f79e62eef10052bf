-- The newest publications of each course are kept, to look at and to go back to.

ALTER TABLE lesson_publication DROP CONSTRAINT lesson_publication_tenant_id_course_id_fkey;
ALTER TABLE course_publication
    DROP CONSTRAINT course_publication_pkey,
    ADD PRIMARY KEY (tenant_id, course_id, version);
GRANT DELETE ON course_publication TO akademi_app;

-- What a lesson held from version `since` on, to the one before `until`; a lesson that stays as it is stays one row. A course
-- that is published already has one version, whose lessons hold from the beginning.
ALTER TABLE lesson_publication ADD COLUMN since bigint NOT NULL DEFAULT 0 CHECK (since >= 0);
ALTER TABLE lesson_publication
    ALTER COLUMN since DROP DEFAULT,
    -- Nothing yet, of the newest version.
    ADD COLUMN until bigint CHECK (until > since),
    DROP CONSTRAINT lesson_publication_pkey,
    ADD PRIMARY KEY (tenant_id, course_id, id, since),
    ADD FOREIGN KEY (tenant_id, course_id) REFERENCES course_draft (tenant_id, id);
CREATE UNIQUE INDEX lesson_publication_newest ON lesson_publication (tenant_id, course_id, id) WHERE until IS NULL;
GRANT UPDATE (until) ON lesson_publication TO akademi_app;
