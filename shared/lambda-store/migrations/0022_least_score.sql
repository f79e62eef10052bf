-- The least mean share of a course's quizzes' points that completes it, in percent.
ALTER TABLE course_draft ADD COLUMN minimum_score smallint CHECK (minimum_score BETWEEN 1 AND 100);
