-- What was learnt and earned, by day: facts that only the feed tells, and the report tables that dashboards read.
--
-- Days are calendar days of Istanbul (akademi_domain::time::Day). Amounts are minor units of their row's currency.

-- What the feed tells of a lesson beside its seconds: those that were not believed, and the best score of a quiz.
ALTER TABLE progress_summary
    ADD COLUMN refused_seconds bigint NOT NULL DEFAULT 0 CHECK (refused_seconds >= 0),
    ADD COLUMN score_points bigint CHECK (score_points >= 0),
    ADD COLUMN score_max bigint CHECK (score_max >= 0),
    ADD CONSTRAINT progress_summary_score CHECK ((score_points IS NULL) = (score_max IS NULL));
CREATE INDEX progress_summary_scored ON progress_summary (tenant_id, course_id) INCLUDE (score_points, score_max)
    WHERE score_max > 0;

-- How much of a course was new on a day. A summary's seconds are those of all days together, so what a summary tells
-- beyond the one before is kept when it arrives, under the day that the summary names. The edge holds one pending summary
-- of each learner and lesson, the newest: seconds of several days that arrive as one all go to the last of these days, and
-- the days before get no row. A row without seconds is a day on which the learner did something else: opened a document,
-- answered a quiz, saw again what had been seen, or claimed what was not believed.
CREATE TABLE watched_day (
    tenant_id uuid NOT NULL,
    day date NOT NULL,
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    seconds bigint NOT NULL CHECK (seconds >= 0),
    refused_seconds bigint NOT NULL CHECK (refused_seconds >= 0),
    PRIMARY KEY (tenant_id, day, user_id, course_id)
);
SELECT protect_tenant_table('watched_day', 'SELECT, INSERT, UPDATE', 'SELECT');

-- Days of which a fact has arrived since they were last derived, however long ago they were. Whoever writes a fact writes
-- its day here in the same transaction; the run of a day takes its row away before it reads.
CREATE TABLE due_day (
    tenant_id uuid NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (tenant_id, day)
);
SELECT protect_tenant_table('due_day', 'SELECT, INSERT, DELETE', 'SELECT');

-- Facts by the moment at which they happened: a day's run reads that day and nothing else.
CREATE INDEX enrolment_created ON enrolment (tenant_id, created_at);
CREATE INDEX enrolment_completed ON enrolment (tenant_id, completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX customer_order_paid ON customer_order (tenant_id, paid_at) WHERE paid_at IS NOT NULL;
CREATE INDEX certificate_revoked ON certificate (tenant_id, revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX course_draft_owner ON course_draft (tenant_id, owner_id);

-- Report tables: derived by the ETL from the facts above, and by nobody else. They can be made anew at any time.

-- A learner's day in a course, if anything happened in it. A revocation counts on the day it was made and leaves the day
-- of issue as it was.
CREATE TABLE learning_day (
    tenant_id uuid NOT NULL,
    day date NOT NULL,
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    enrolments int NOT NULL,
    completions int NOT NULL,
    certificates int NOT NULL,
    revocations int NOT NULL,
    watched_seconds bigint NOT NULL,
    refused_seconds bigint NOT NULL,
    -- watched_day has a row; what was done for the learner (an enrolment by staff, a certificate) is none.
    active boolean NOT NULL,
    PRIMARY KEY (tenant_id, day, user_id, course_id) INCLUDE (active)
);
CREATE INDEX learning_day_of_learner ON learning_day (tenant_id, user_id, day);
CREATE INDEX learning_day_active ON learning_day (tenant_id, course_id, day, user_id) WHERE active;
SELECT protect_tenant_table('learning_day', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT');

-- What a learner paid for a course on a day, in each currency. Each row stands beside one of learning_day.
CREATE TABLE paid_day (
    tenant_id uuid NOT NULL,
    day date NOT NULL,
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (tenant_id, day, user_id, course_id, currency)
);
CREATE INDEX paid_day_of_learner ON paid_day (tenant_id, user_id, day);
SELECT protect_tenant_table('paid_day', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT');

-- The same, all learners together.
CREATE TABLE course_day (
    tenant_id uuid NOT NULL,
    day date NOT NULL,
    course_id uuid NOT NULL,
    enrolments bigint NOT NULL,
    completions bigint NOT NULL,
    certificates bigint NOT NULL,
    revocations bigint NOT NULL,
    watched_seconds bigint NOT NULL,
    refused_seconds bigint NOT NULL,
    PRIMARY KEY (tenant_id, day, course_id)
);
SELECT protect_tenant_table('course_day', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT');

CREATE TABLE course_paid_day (
    tenant_id uuid NOT NULL,
    day date NOT NULL,
    course_id uuid NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (tenant_id, day, course_id, currency)
);
SELECT protect_tenant_table('course_paid_day', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT');

-- The best scores of a course's learners as they stood at the last run of a day on which it was learnt.
CREATE TABLE course_score (
    tenant_id uuid NOT NULL,
    course_id uuid NOT NULL,
    -- Learners' quizzes: one for each quiz that a learner has answered.
    scored bigint NOT NULL CHECK (scored > 0),
    -- The sum of their scores, in thousandths of the points possible.
    permille bigint NOT NULL CHECK (permille >= 0),
    PRIMARY KEY (tenant_id, course_id)
);
SELECT protect_tenant_table('course_score', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT');

-- When each day was last derived: no report itself, so a run that changes no row of one still leaves its mark here.
CREATE TABLE etl_run (
    tenant_id uuid NOT NULL,
    day date NOT NULL,
    finished_at bigint NOT NULL,
    -- Rows of reports that this run changed.
    rows_changed bigint NOT NULL,
    PRIMARY KEY (tenant_id, day)
);
CREATE INDEX etl_run_finished ON etl_run (tenant_id, finished_at DESC);
SELECT protect_tenant_table('etl_run', 'SELECT, INSERT, UPDATE', 'SELECT');
