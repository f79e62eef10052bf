-- Carts, and the addresses that people have kept.

-- What somebody means to buy. A person's stands under their own id, a guest's under the SHA-256 of what their browser keeps.
CREATE TABLE cart (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Nobody of a guest's.
    person_id TEXT,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX cart_of_person ON cart (tenant_id, person_id);
CREATE INDEX cart_of_guest ON cart (tenant_id, changed_at) WHERE person_id IS NULL;

CREATE TABLE cart_item (
    tenant_id TEXT NOT NULL,
    cart_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('course', 'bundle', 'coupon')),
    -- A course's or a bundle's id, or a coupon's code, folded.
    item TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, cart_id, kind, item),
    FOREIGN KEY (tenant_id, cart_id) REFERENCES cart (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Whom and where somebody has bills sent.
CREATE TABLE address (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    -- All of it, sealed.
    address BLOB NOT NULL,
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX address_of_person ON address (tenant_id, person_id, created_at, id);
CREATE UNIQUE INDEX address_default ON address (tenant_id, person_id) WHERE is_default = 1;
