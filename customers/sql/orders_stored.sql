-- What is stored of some orders of a source, by what it is: the orders, what of them was paid back, that they were called
-- off. One row: order reference, name of the type, the sum of the amounts (NULL while one of them waits for an exchange
-- rate), of the original amounts, their currency, the day whose rate what waits is waiting for, the hashes of the messages.
-- Parameters: source, refs (order references), types (names).  Index: touchpoint_order.
SELECT touchpoint.order_ref, type.name,
       CASE WHEN count(*) FILTER (WHERE touchpoint.amount IS NULL AND touchpoint.original_amount IS NOT NULL) = 0
           THEN coalesce(sum(touchpoint.amount), 0)::bigint END,
       coalesce(sum(touchpoint.original_amount), 0), max(touchpoint.currency),
       max(touchpoint.properties ->> 'rate_day')
           FILTER (WHERE touchpoint.amount IS NULL AND touchpoint.original_amount IS NOT NULL),
       array_agg(touchpoint.message_hash::text)
FROM customers_touchpoint AS touchpoint
JOIN customers_touchpointtype AS type ON type.id = touchpoint.type_id
WHERE touchpoint.order_ref = ANY(%(refs)s::text[]) AND touchpoint.order_ref <> ''
  AND touchpoint.source_id = %(source)s AND type.name = ANY(%(types)s::text[])
GROUP BY touchpoint.order_ref, type.name
