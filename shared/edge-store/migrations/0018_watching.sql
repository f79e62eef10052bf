-- How fast learners may watch, what is told of seconds that do not count, where each device stands, and what lessons wait
-- for.

-- The fastest playing that counts, in percent of normal speed.
ALTER TABLE tenant ADD COLUMN watch_rate_percent INTEGER NOT NULL DEFAULT 200
    CHECK (watch_rate_percent BETWEEN 50 AND 300);

-- How many of the refused seconds for which reason, as JSON. Older ones have none.
ALTER TABLE progress ADD COLUMN refusals TEXT NOT NULL DEFAULT '{}';
-- Where the learner's last devices stand, encoded by akademi_domain::watch.
ALTER TABLE progress ADD COLUMN positions BLOB NOT NULL DEFAULT x'';

-- What the lesson's module waits for, as JSON.
ALTER TABLE lesson ADD COLUMN opens TEXT;
