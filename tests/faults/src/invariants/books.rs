//! What PostgreSQL's tables must say of money, courses, coupons and invoices.

/// What the rules look at.
pub const VIEWS: &str = "
    -- Payments that were taken, and what went back of each.
    CREATE VIEW captured AS
    SELECT payment.id, provider, order_id, amount, state, kind = 'capture' AS is_sale,
           (SELECT COALESCE(sum(amount), 0)::bigint FROM refund
            WHERE payment_id = payment.id AND refund.state = 'done') AS back
    FROM payment JOIN ledger_transaction ON payment_id = payment.id AND kind IN ('capture', 'capture_to_refund');
    -- What went back of each line.
    CREATE VIEW given_back AS
    SELECT refund_line.order_id, course_id, sum(refund_line.amount)::bigint AS amount, sum(vat)::bigint AS vat,
           bool_or(withdraws) AS withdraws
    FROM refund_line JOIN refund ON refund.id = refund_id AND state = 'done' GROUP BY 1, 2;
    -- Lines of orders that were paid, or had nothing to pay.
    CREATE VIEW sold_line AS
    SELECT user_id, line.order_id, line.course_id, enrolment_id, line.total, line.vat,
           COALESCE(given_back.amount, 0) AS back, COALESCE(given_back.vat, 0) AS vat_back,
           COALESCE(withdraws, false) AS is_taken_back,
           EXISTS (SELECT FROM refund JOIN refund_line ON refund_id = refund.id
                   WHERE refund.order_id = line.order_id AND reason = 'bought_before'
                     AND course_id = line.course_id AND refund_line.amount = line.total) AS is_paid_twice,
           (SELECT count(*) FROM appended
            WHERE kind = 'enrolment_granted' AND payload ->> 'enrolment' = enrolment_id::text) AS granted,
           (SELECT count(*) FROM appended
            WHERE kind = 'enrolment_withdrawn' AND payload ->> 'enrolment' = enrolment_id::text) AS withdrawn
    FROM order_line AS line JOIN customer_order ON customer_order.id = line.order_id AND paid_at IS NOT NULL
    LEFT JOIN given_back ON given_back.order_id = line.order_id AND given_back.course_id = line.course_id;
    -- Who has which course by what was paid.
    CREATE VIEW kept_line AS
    SELECT user_id, order_id, course_id, enrolment_id FROM sold_line WHERE granted > 0 AND NOT is_taken_back;";

/// What is wrong, and a statement that counts it.
pub const NONE_OF: [(&str, &str); 38] = [
    ("orders are not at their end", "SELECT count(*) FROM customer_order WHERE state = 'pending'"),
    (
        "a person has two orders under one key",
        "SELECT count(*) FROM (SELECT FROM customer_order GROUP BY user_id, idempotency_key HAVING count(*) > 1) AS twice",
    ),
    // The ledger
    (
        "what a provider owes is not what was captured, less what went back",
        "SELECT count(*) FROM (
             SELECT account, sum(amount) AS owed FROM ledger_entry JOIN ledger_transaction ON id = transaction_id
             WHERE account LIKE 'provider:%' AND kind NOT IN ('fee', 'payout') GROUP BY account) AS debtor
         FULL JOIN (SELECT 'provider:' || provider AS account, sum(amount - back) AS taken FROM captured GROUP BY 1) AS told
         USING (account) WHERE owed IS DISTINCT FROM taken",
    ),
    (
        "revenue and VAT are not the sum of what was sold, less what went back of it",
        "SELECT (COALESCE((SELECT sum(amount) FROM ledger_entry WHERE account IN ('sales', 'vat')), 0)
               + COALESCE((SELECT sum(total - back) FROM sold_line), 0))::bigint",
    ),
    (
        "VAT is not that of what was sold, less what went back of it",
        "SELECT (COALESCE((SELECT sum(amount) FROM ledger_entry WHERE account = 'vat'), 0)
               + COALESCE((SELECT sum(vat - vat_back) FROM sold_line), 0))::bigint",
    ),
    (
        "the debt to buyers is not what was captured for nothing, less what went back of it",
        "SELECT (COALESCE((SELECT sum(amount) FROM ledger_entry WHERE account = 'refunds_due'), 0)
               + COALESCE((SELECT sum(amount - back) FROM captured WHERE NOT is_sale), 0))::bigint",
    ),
    (
        "transactions of the ledger do not sum to zero",
        "SELECT count(*) FROM (SELECT FROM ledger_entry GROUP BY transaction_id, currency HAVING sum(amount) <> 0) AS unbalanced",
    ),
    (
        "refunds are done and not in the ledger, or the other way round",
        "SELECT count(*) FROM refund WHERE (state = 'done') <>
             EXISTS (SELECT FROM ledger_transaction WHERE refund_id = refund.id)",
    ),
    // Reconciliation
    (
        "something does not agree with the provider's reports, who was honest",
        "SELECT count(*) FROM reconciliation_difference WHERE resolved_at IS NULL",
    ),
    (
        "fees are not booked once for each payment of a day whose report was read",
        "SELECT count(*) FROM captured WHERE provider IN (SELECT provider FROM reconciliation WHERE done_day IS NOT NULL) AND 1 <> (
             SELECT count(*) FROM ledger_transaction WHERE kind = 'fee' AND payment_id = captured.id)",
    ),
    // Payments and orders
    (
        "payments are captured and not in the ledger, or the other way round",
        "SELECT count(*) FROM payment WHERE (state IN ('captured', 'refund_due', 'refunded')) <>
             EXISTS (SELECT FROM captured WHERE captured.id = payment.id)",
    ),
    (
        "orders are sold without one capture of their own, or captured and not sold",
        "SELECT count(*) FROM customer_order AS o WHERE (
             SELECT count(*) FROM captured WHERE order_id = o.id AND is_sale AND amount = o.total
         ) <> CASE WHEN paid_at IS NOT NULL AND o.total > 0 THEN 1 ELSE 0 END",
    ),
    (
        "payments do not stand where their refunds have put them",
        "SELECT count(*) FROM captured WHERE state <> CASE
             WHEN back = amount THEN 'refunded' WHEN is_sale THEN 'captured' ELSE 'refund_due' END",
    ),
    (
        "orders do not stand where their refunds have put them",
        "SELECT count(*) FROM customer_order AS o LEFT JOIN captured AS own ON own.id = captured_by
         WHERE o.state <> CASE
             WHEN captured_by IS NULL AND paid_at IS NULL THEN CASE o.state WHEN 'failed' THEN 'failed' ELSE 'expired' END
             WHEN captured_by IS NULL THEN 'paid'
             WHEN own.back = own.amount THEN 'refunded'
             WHEN paid_at IS NULL THEN 'refund_due'
             WHEN own.back = 0 THEN 'paid'
             ELSE 'partly_refunded' END",
    ),
    // Refunds
    ("refunds are not at their end", "SELECT count(*) FROM refund WHERE state = 'requested'"),
    (
        "a person has two refunds under one key",
        "SELECT count(*) FROM (SELECT FROM refund WHERE requested_by IS NOT NULL
             GROUP BY requested_by, idempotency_key HAVING count(*) > 1) AS twice",
    ),
    ("more of a payment went back than was captured", "SELECT count(*) FROM captured WHERE back > amount"),
    (
        "more of a line went back than was paid",
        "SELECT count(*) FROM sold_line WHERE back > total OR vat_back > vat OR back = total AND vat_back <> vat",
    ),
    (
        "refunds with lines are not the sum of their lines",
        "SELECT count(*) FROM refund WHERE amount <>
             (SELECT COALESCE(sum(amount), refund.amount) FROM refund_line WHERE refund_id = refund.id)",
    ),
    (
        "refunds were refused and nobody is told",
        "SELECT count(*) FROM refund WHERE state = 'refused' AND NOT EXISTS (
             SELECT FROM payment_alarm WHERE kind = 'refund_refused' AND subject = replace(refund.id::text, '-', ''))",
    ),
    (
        "money that came too late or twice is kept, and its refund was not refused",
        "SELECT count(*) FROM captured WHERE NOT is_sale AND back < amount AND NOT EXISTS (
             SELECT FROM refund WHERE payment_id = captured.id AND state = 'refused')",
    ),
    (
        "refunds that staff asked for are not in the audit log once each",
        "SELECT abs((SELECT count(*) FROM refund WHERE requested_by IS NOT NULL)
                  - (SELECT count(*) FROM audit_entry WHERE action = 'refund.requested'))",
    ),
    // Reservations
    (
        "something is still held",
        "SELECT (SELECT count(*) FROM budget WHERE held <> 0) + (SELECT count(*) FROM reservation WHERE state = 'held')",
    ),
    ("more is used than there is", "SELECT count(*) FROM budget WHERE used > ceiling"),
    (
        "budgets are not what was reserved of them for good",
        "SELECT count(*) FROM budget WHERE used <> (
             SELECT COALESCE(sum(amount), 0) FROM reservation WHERE reservation.kind = budget.kind
                 AND reservation.subject_id = budget.subject_id AND reservation.person_id = budget.person_id
                 AND state = 'confirmed')",
    ),
    (
        "budgets of refunds are not what was captured, with what went back of it used",
        "SELECT count(*) FROM budget LEFT JOIN captured ON captured.id = subject_id
         WHERE kind = 'refund' AND (ceiling, used) IS DISTINCT FROM (amount, back)",
    ),
    (
        "reservations have not ended as their refunds did",
        "SELECT count(*) FROM refund LEFT JOIN reservation ON holder_id = refund.id AND subject_id = payment_id
         WHERE (reservation.state, reservation.amount) IS DISTINCT FROM
             (CASE refund.state WHEN 'done' THEN 'confirmed' ELSE 'released' END, refund.amount)",
    ),
    (
        "uses of coupons are not those of orders that were sold with them",
        "SELECT count(*) FROM reservation JOIN customer_order ON customer_order.id = holder_id
         WHERE kind <> 'seat' AND (paid_at IS NOT NULL) <> (reservation.state = 'confirmed')",
    ),
    (
        "seats are not those of courses that were granted and not taken back",
        "SELECT count(*) FROM (SELECT holder_id AS order_id, subject_id AS course_id FROM reservation
                               WHERE kind = 'seat' AND state = 'confirmed') AS seat
         FULL JOIN (SELECT order_id, course_id FROM kept_line
                    WHERE course_id IN (SELECT subject_id FROM budget WHERE kind = 'seat')) AS kept
         USING (order_id, course_id) WHERE seat IS NULL OR kept IS NULL",
    ),
    // Courses
    (
        "lines that were not sold are granted",
        "SELECT count(*) FROM order_line JOIN customer_order ON customer_order.id = order_id AND paid_at IS NULL
         JOIN appended ON kind = 'enrolment_granted' AND payload ->> 'enrolment' = enrolment_id::text",
    ),
    (
        "lines that were sold are not granted once, or those that were paid twice are",
        "SELECT count(*) FROM sold_line WHERE granted <> CASE WHEN is_paid_twice THEN 0 ELSE 1 END",
    ),
    (
        "courses were granted to who had them",
        "SELECT count(*) FROM (
             SELECT sum(step) OVER (PARTITION BY user_id, course_id ORDER BY place) AS at_once
             FROM (SELECT user_id, course_id, place, CASE kind WHEN 'enrolment_granted' THEN 1 ELSE -1 END AS step
                   FROM sold_line JOIN appended ON granted > 0 AND payload ->> 'enrolment' = enrolment_id::text
                       AND kind IN ('enrolment_granted', 'enrolment_withdrawn')) AS steps) AS counted
         WHERE at_once NOT IN (0, 1)",
    ),
    (
        "courses are not taken back once, or others are",
        "SELECT count(*) FROM sold_line WHERE withdrawn <> CASE WHEN is_taken_back THEN 1 ELSE 0 END",
    ),
    (
        "courses are not taken back with all that was paid for them",
        "SELECT count(*) FROM sold_line WHERE total > 0 AND is_taken_back <> (back = total)",
    ),
    (
        "what counts as bought is not what was granted and not taken back",
        "SELECT count(*) FROM (SELECT user_id, course_id, order_id FROM purchase) AS bought
         FULL JOIN kept_line USING (user_id, course_id, order_id)
         WHERE enrolment_id IS NULL OR NOT EXISTS (SELECT FROM purchase AS p
             WHERE p.user_id = kept_line.user_id AND p.course_id = kept_line.course_id AND p.order_id = kept_line.order_id)",
    ),
    // Invoices
    (
        "invoices are not asked for once by each sale and each refund of lines, with a job each",
        "SELECT count(*) FROM (
             SELECT id AS order_id, NULL::uuid AS refund_id FROM customer_order WHERE paid_at IS NOT NULL AND total > 0
             UNION ALL
             SELECT order_id, id FROM refund
             WHERE state = 'done' AND EXISTS (SELECT FROM refund_line WHERE refund_id = refund.id)
         ) AS due
         FULL JOIN invoice ON invoice.order_id = due.order_id AND invoice.refund_id IS NOT DISTINCT FROM due.refund_id
         WHERE due.order_id IS NULL OR 1 <> (
             SELECT count(*) FROM job WHERE kind = 'invoice' AND payload ->> 'invoice' = invoice.id::text)",
    ),
    ("events have no number", "SELECT count(*) FROM feed_event WHERE number IS NULL"),
    (
        // iyzico gives up telling where to look, and is asked then.
        "verified callbacks that tell an outcome have led to nothing",
        "SELECT count(*) FROM payment_callback
         WHERE verification = 'verified' AND outcome IS NULL AND provider <> 'iyzico'",
    ),
];
