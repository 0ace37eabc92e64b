-- Who stands in a stage of a segment now. One row: id, name, e-mail, phone, since.
-- Parameters: subject, stage, after (ids above it only), portion (at most so many, in order of id).
-- Index: the primary key of lifecycle_standing (customer, subject).
SELECT customer.id, customer.name, customer.email, customer.phone, standing.since
FROM lifecycle_standing AS standing
JOIN customers_customer AS customer ON customer.id = standing.customer_id AND customer.merged_into_id IS NULL
WHERE standing.subject_id = %(subject)s AND standing.stage_id = %(stage)s AND standing.customer_id > %(after)s
ORDER BY standing.customer_id
LIMIT %(portion)s
