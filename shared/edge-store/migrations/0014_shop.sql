-- Read copies of what the Lambda plane sells: sales, categories, bundles, and who has used a coupon as often as one may.

-- Minor units of the row's currency, VAT inside; from the one moment on until before the other.
ALTER TABLE price ADD COLUMN sale_amount INTEGER;
ALTER TABLE price ADD COLUMN sale_starts_at INTEGER;
ALTER TABLE price ADD COLUMN sale_ends_at INTEGER;
-- Slugs, as a JSON array.
ALTER TABLE price ADD COLUMN categories TEXT NOT NULL DEFAULT '[]';

CREATE INDEX price_on_sale ON price (tenant_id, sale_ends_at, course_id) WHERE sale_ends_at IS NOT NULL;

-- Courses that are sold together.
CREATE TABLE bundle (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    -- Ids in order, as a JSON array.
    courses TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    sale_amount INTEGER,
    sale_starts_at INTEGER,
    sale_ends_at INTEGER,
    for_sale INTEGER NOT NULL CHECK (for_sale IN (0, 1)),
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- A coupon that somebody has used as often as one may.
CREATE TABLE spent_coupon (
    tenant_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    coupon_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, person_id, coupon_id)
) STRICT, WITHOUT ROWID;
