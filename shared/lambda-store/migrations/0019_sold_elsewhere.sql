-- Courses that another shop sells: the catalog sends there whoever wants one, and nobody orders it here.
CREATE TABLE sold_elsewhere (
    tenant_id uuid NOT NULL,
    course_id uuid NOT NULL,
    -- The shop's name.
    label text NOT NULL,
    url text NOT NULL CHECK (url LIKE 'https://%'),
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, course_id),
    FOREIGN KEY (tenant_id, course_id) REFERENCES course_draft (tenant_id, id)
);
SELECT protect_tenant_table('sold_elsewhere', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, DELETE');
