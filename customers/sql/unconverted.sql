-- Touchpoints of a currency whose money no rate was known for, in order of id. One row: id, source, occurred_at, original
-- amount, order reference, role, properties, whether they have order lines.
-- Parameters: currency, after (an id), most.
-- Index: touchpoint_unconverted; the order line's touchpoint.
SELECT touchpoint.id, touchpoint.source_id, touchpoint.occurred_at, touchpoint.original_amount, touchpoint.order_ref,
       type.role, touchpoint.properties::text,
       EXISTS (SELECT FROM customers_orderline AS line WHERE line.touchpoint_id = touchpoint.id)
FROM customers_touchpoint AS touchpoint
JOIN customers_touchpointtype AS type ON type.id = touchpoint.type_id
WHERE touchpoint.currency = %(currency)s AND touchpoint.amount IS NULL AND touchpoint.original_amount IS NOT NULL
  AND touchpoint.id > %(after)s
ORDER BY touchpoint.id
LIMIT %(most)s
