-- The most bytes that an academy may keep; without one there is no limit.
ALTER TABLE tenant ADD COLUMN storage_limit bigint;
