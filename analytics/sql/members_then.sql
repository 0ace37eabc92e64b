-- Who was in a stage of a segment at an instant, as believed at another. One row: id, name, e-mail, phone, since.
-- Parameters: version, stage, at, known_at (NULL: what is believed now), after (ids above it only), portion (at most so
-- many, in order of id).  Index: customer_enters_one_stage_at_an_instant; transition_superseded for known_at.
SELECT customer.id, customer.name, customer.email, customer.phone, latest.entered_at
FROM customers_customer AS customer
CROSS JOIN LATERAL (
    SELECT entered.stage_id, entered.entered_at
    FROM lifecycle_transition AS entered
    WHERE entered.customer_id = customer.id AND entered.version_id = %(version)s AND entered.entered_at <= %(at)s
      AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN entered.superseded_at IS NULL
               ELSE entered.recorded_at <= %(known_at)s
                    AND (entered.superseded_at IS NULL OR entered.superseded_at > %(known_at)s) END
    ORDER BY entered.entered_at DESC
    LIMIT 1
) AS latest
WHERE customer.id > %(after)s AND customer.merged_into_id IS NULL AND latest.stage_id = %(stage)s
ORDER BY customer.id
LIMIT %(portion)s
