-- The most bytes that an academy may keep; without one there is no limit.
ALTER TABLE tenant ADD COLUMN storage_limit bigint;
-- What it has switched off, one bit each: akademi_domain::academy.
ALTER TABLE tenant ADD COLUMN features_off integer NOT NULL DEFAULT 0;
