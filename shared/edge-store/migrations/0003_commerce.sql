-- Read copies of what the Lambda plane sells: prices and coupons. A quote reads them; an order does not.

-- A price may arrive before its course does.
CREATE TABLE price (
    tenant_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    -- Minor units of the currency, VAT inside.
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    vat_basis_points INTEGER NOT NULL CHECK (vat_basis_points BETWEEN 0 AND 10000),
    PRIMARY KEY (tenant_id, course_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE coupon (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Folded.
    code TEXT NOT NULL,
    -- Discount, scope, minimum and dates as JSON.
    terms TEXT NOT NULL,
    -- Whether a use was left when this was told.
    available INTEGER NOT NULL CHECK (available IN (0, 1)),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, code)
) STRICT, WITHOUT ROWID;
