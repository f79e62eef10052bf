-- Seats, and coupons that everybody is told of.

-- Null: as many as want. Otherwise the course has so many seats and no more, and whether one was left when this was told.
ALTER TABLE price ADD COLUMN seats_left INTEGER CHECK (seats_left IN (0, 1));

-- Whether everybody is told of a coupon.
ALTER TABLE coupon ADD COLUMN public INTEGER NOT NULL DEFAULT 0 CHECK (public IN (0, 1));
CREATE INDEX coupon_public ON coupon (tenant_id, id) WHERE public = 1 AND available = 1;
