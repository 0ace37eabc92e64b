-- What may be delivered now: due, in nobody's hands, to an endpoint that is on, with nothing earlier of the same
-- customers still open, and so many that each endpoint has `most` on the way at once (one, where it keeps failing).
-- Locked until the transaction ends. One row: delivery.
-- Parameters: now, most, unwell (failures in a row from which on one at a time is tried).
-- Indexes: delivery_due, delivery_of_customer, delivery_of_other.
SELECT found.id
FROM campaigns_endpoint AS endpoint
CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM campaigns_delivery AS away
    WHERE away.endpoint_id = endpoint.id AND away.state = 'waiting' AND away.lease_until >= %(now)s
) AS away
CROSS JOIN LATERAL (
    SELECT delivery.id
    FROM campaigns_delivery AS delivery
    WHERE delivery.endpoint_id = endpoint.id
      AND delivery.state = 'waiting'
      AND delivery.due_at <= %(now)s
      AND (delivery.lease_until IS NULL OR delivery.lease_until < %(now)s)
      AND NOT EXISTS (
          SELECT 1 FROM campaigns_delivery AS earlier
          WHERE earlier.endpoint_id = endpoint.id AND earlier.state = 'waiting' AND earlier.id < delivery.id
            AND earlier.customer IN (delivery.customer, delivery.other)
      )
      AND NOT EXISTS (
          SELECT 1 FROM campaigns_delivery AS earlier
          WHERE earlier.endpoint_id = endpoint.id AND earlier.state = 'waiting' AND earlier.id < delivery.id
            AND earlier.other IN (delivery.customer, delivery.other)
      )
    ORDER BY delivery.due_at, delivery.id
    LIMIT greatest(0, CASE WHEN endpoint.failures >= %(unwell)s THEN 1 ELSE %(most)s END - away.number)
    FOR UPDATE SKIP LOCKED
) AS found
WHERE endpoint.disabled_at IS NULL AND (endpoint.paused_until IS NULL OR endpoint.paused_until <= %(now)s)
