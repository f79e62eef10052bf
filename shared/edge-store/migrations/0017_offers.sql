-- Seats, coupons that everybody is told of, and courses that other shops sell.

-- Null: as many as want. Otherwise the course has so many seats and no more, and whether one was left when this was told.
ALTER TABLE price ADD COLUMN seats_left INTEGER CHECK (seats_left IN (0, 1));

-- Whether everybody is told of a coupon.
ALTER TABLE coupon ADD COLUMN public INTEGER NOT NULL DEFAULT 0 CHECK (public IN (0, 1));
CREATE INDEX coupon_public ON coupon (tenant_id, id) WHERE public = 1 AND available = 1;

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
