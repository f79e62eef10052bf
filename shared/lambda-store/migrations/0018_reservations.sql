-- What goes back of a line is decided when the provider has booked it: the refunds before it may not have gone through.
GRANT UPDATE (vat, withdraws) ON refund_line TO akademi_app;

-- One engine for whatever ends: a payment's money that may go back, a coupon's uses, one person's own uses of it, their
-- first purchase, a course's seats. An order holds them when it is made, and they are confirmed or released with it.
ALTER TABLE reservation DROP CONSTRAINT reservation_tenant_id_kind_subject_id_fkey;
ALTER TABLE reservation DROP CONSTRAINT reservation_pkey;
ALTER TABLE budget DROP CONSTRAINT budget_pkey;
ALTER TABLE budget DROP CONSTRAINT budget_kind_check;
ALTER TABLE budget
    ADD CHECK (kind IN ('refund', 'coupon', 'coupon_of_person', 'first_purchase', 'seat')),
    -- Whose own share it is; nil for everybody's.
    ADD COLUMN person_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    -- Null is without end.
    ALTER COLUMN ceiling DROP NOT NULL,
    ADD PRIMARY KEY (tenant_id, kind, subject_id, person_id);
ALTER TABLE reservation
    ADD COLUMN person_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    ADD PRIMARY KEY (tenant_id, kind, subject_id, person_id, holder_id);
ALTER TABLE budget ALTER COLUMN person_id DROP DEFAULT;
ALTER TABLE reservation ALTER COLUMN person_id DROP DEFAULT;
-- All that an order or a refund holds.
CREATE INDEX reservation_of_holder ON reservation (tenant_id, holder_id);

-- The owner, who moves them, sees rows of protected tables only while it is not held to their policies itself.
ALTER TABLE budget NO FORCE ROW LEVEL SECURITY;
ALTER TABLE reservation NO FORCE ROW LEVEL SECURITY;
ALTER TABLE coupon NO FORCE ROW LEVEL SECURITY;
ALTER TABLE coupon_use NO FORCE ROW LEVEL SECURITY;
ALTER TABLE coupon_person NO FORCE ROW LEVEL SECURITY;
ALTER TABLE first_purchase NO FORCE ROW LEVEL SECURITY;
ALTER TABLE customer_order NO FORCE ROW LEVEL SECURITY;
ALTER TABLE order_line NO FORCE ROW LEVEL SECURITY;
ALTER TABLE purchase NO FORCE ROW LEVEL SECURITY;
INSERT INTO budget (tenant_id, kind, subject_id, person_id, ceiling, held, used)
SELECT tenant_id, 'coupon', id, '00000000-0000-0000-0000-000000000000', use_limit, held, used FROM coupon;
INSERT INTO reservation (tenant_id, kind, subject_id, person_id, holder_id, amount, state, updated_at)
SELECT tenant_id, 'coupon', coupon_id, '00000000-0000-0000-0000-000000000000', order_id, 1, state, updated_at
FROM coupon_use;
INSERT INTO reservation (tenant_id, kind, subject_id, person_id, holder_id, amount, state, updated_at)
SELECT tenant_id, 'coupon_of_person', coupon_id, user_id, order_id, 1, coupon_use.state, updated_at
FROM coupon_use JOIN coupon_person USING (tenant_id, coupon_id)
JOIN customer_order USING (tenant_id, user_id) WHERE customer_order.id = order_id;
INSERT INTO reservation (tenant_id, kind, subject_id, person_id, holder_id, amount, state, updated_at)
SELECT tenant_id, 'first_purchase', user_id, user_id, order_id, 1,
       CASE WHEN paid_at IS NULL THEN 'held' ELSE 'confirmed' END, created_at
FROM first_purchase JOIN customer_order USING (tenant_id, user_id) WHERE customer_order.id = order_id;
INSERT INTO budget (tenant_id, kind, subject_id, person_id, ceiling, held, used)
SELECT reservation.tenant_id, kind, subject_id, person_id, COALESCE(use_limit, 1),
       count(*) FILTER (WHERE state = 'held'), count(*) FILTER (WHERE state = 'confirmed')
FROM reservation LEFT JOIN coupon_person
    ON coupon_person.tenant_id = reservation.tenant_id AND coupon_id = subject_id AND user_id = person_id
WHERE kind IN ('coupon_of_person', 'first_purchase') GROUP BY 1, 2, 3, 4, 5;
ALTER TABLE reservation ADD CONSTRAINT reservation_budget FOREIGN KEY (tenant_id, kind, subject_id, person_id)
    REFERENCES budget (tenant_id, kind, subject_id, person_id);
DROP TABLE coupon_use, coupon_person, first_purchase;
ALTER TABLE coupon DROP COLUMN held, DROP COLUMN used, DROP COLUMN use_limit;
-- What was bought before there were purchases, which their migration did not see.
INSERT INTO purchase (tenant_id, user_id, course_id, order_id)
SELECT tenant_id, user_id, course_id, id FROM customer_order
JOIN order_line USING (tenant_id) WHERE order_line.order_id = id AND state = 'paid' ORDER BY paid_at
ON CONFLICT DO NOTHING;
ALTER TABLE budget FORCE ROW LEVEL SECURITY;
ALTER TABLE reservation FORCE ROW LEVEL SECURITY;
ALTER TABLE coupon FORCE ROW LEVEL SECURITY;
ALTER TABLE customer_order FORCE ROW LEVEL SECURITY;
ALTER TABLE order_line FORCE ROW LEVEL SECURITY;
ALTER TABLE purchase FORCE ROW LEVEL SECURITY;
