-- Sales, categories, bundles, and several coupons on one order. Amounts are minor units of their row's currency.

-- Another price for a time: from the one moment on until before the other.
ALTER TABLE price
    ADD COLUMN sale_amount bigint,
    ADD COLUMN sale_starts_at bigint,
    ADD COLUMN sale_ends_at bigint,
    -- Slugs.
    ADD COLUMN categories text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT price_sale CHECK (
        num_nonnulls(sale_amount, sale_starts_at, sale_ends_at) = 0
        OR num_nonnulls(sale_amount, sale_starts_at, sale_ends_at) = 3
        AND sale_amount BETWEEN 0 AND amount - 1 AND sale_starts_at < sale_ends_at);

-- Courses that are sold together at one price, VAT inside.
CREATE TABLE bundle (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    title text NOT NULL,
    -- In order. They stand in the row itself, so that whoever locks it has them too; each has a price.
    courses uuid[] NOT NULL CHECK (cardinality(courses) BETWEEN 2 AND 100),
    amount bigint NOT NULL CHECK (amount >= 0),
    currency text NOT NULL,
    sale_amount bigint,
    sale_starts_at bigint,
    sale_ends_at bigint,
    for_sale boolean NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT bundle_title UNIQUE (tenant_id, title),
    CONSTRAINT bundle_sale CHECK (
        num_nonnulls(sale_amount, sale_starts_at, sale_ends_at) = 0
        OR num_nonnulls(sale_amount, sale_starts_at, sale_ends_at) = 3
        AND sale_amount BETWEEN 0 AND amount - 1 AND sale_starts_at < sale_ends_at)
);
CREATE INDEX bundle_newest ON bundle (tenant_id, created_at DESC, id DESC);
SELECT protect_tenant_table('bundle', 'SELECT, INSERT, UPDATE', 'SELECT');

-- The bundle that a line was bought with.
ALTER TABLE order_line ADD COLUMN bundle_id uuid,
    ADD FOREIGN KEY (tenant_id, bundle_id) REFERENCES bundle (tenant_id, id);

-- An order may use several coupons, each once.
ALTER TABLE coupon_use DROP CONSTRAINT coupon_use_pkey, ADD PRIMARY KEY (tenant_id, order_id, coupon_id);
ALTER TABLE customer_order DROP COLUMN coupon_id;

-- How many orders of one person may use a coupon; null is without end.
ALTER TABLE coupon ADD COLUMN person_use_limit bigint CHECK (person_use_limit > 0);

-- Of coupons with such a limit: how many orders of somebody hold or have a use.
CREATE TABLE coupon_person (
    tenant_id uuid NOT NULL,
    coupon_id uuid NOT NULL,
    user_id uuid NOT NULL,
    uses bigint NOT NULL CHECK (uses >= 0),
    use_limit bigint NOT NULL,
    PRIMARY KEY (tenant_id, coupon_id, user_id),
    FOREIGN KEY (tenant_id, coupon_id) REFERENCES coupon (tenant_id, id),
    -- The last word, should a statement forget to look.
    CONSTRAINT coupon_uses_per_person CHECK (uses <= use_limit)
);
SELECT protect_tenant_table('coupon_person', 'SELECT, INSERT, UPDATE', 'SELECT, DELETE');

-- The order that holds or was somebody's first purchase, where a coupon asked for one. One a person: two orders at once
-- are not both the first.
CREATE TABLE first_purchase (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    order_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES customer_order (tenant_id, id)
);
SELECT protect_tenant_table('first_purchase', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, DELETE');
