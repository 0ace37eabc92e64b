-- The touchpoints of some customers, in the order of their places, latest first of each. One row: id, customer, occurred_at,
-- received_at, ids of type, channel and source, amount (minor units), original amount and its currency, order_ref, the
-- lines of an order as JSON (NULL: none), the properties as JSON, flags.
-- Parameters: profiles, owners and places (arrays of one length: whose each profile is, and where that customer stands),
-- digits (of an amount), types (ids; NULL: all), as_of (NULL: whatever happened), known_at (NULL: whatever has arrived).
-- Indexes: touchpoint_replay; the order line's touchpoint.
SELECT touchpoint.id, owned.customer, touchpoint.occurred_at, touchpoint.received_at, touchpoint.type_id,
       touchpoint.channel_id, touchpoint.source_id, touchpoint.amount, touchpoint.original_amount, touchpoint.currency,
       touchpoint.order_ref, bought.lines, touchpoint.properties::text, touchpoint.flags
FROM unnest(%(profiles)s::bigint[], %(owners)s::bigint[], %(places)s::int[]) AS owned (profile, customer, place)
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = owned.profile
LEFT JOIN LATERAL (
    SELECT json_agg(
               json_build_object(
                   'product', line.product, 'name', line.description, 'category', line.category,
                   'quantity', line.quantity::text,
                   'amount', round(line.amount * power(10::numeric, -(%(digits)s::int)), %(digits)s::int)::text,
                   'cost', round(line.cost * power(10::numeric, -(%(digits)s::int)), %(digits)s::int)::text
               ) ORDER BY line.number
           )::text AS lines
    FROM customers_orderline AS line
    WHERE line.touchpoint_id = touchpoint.id
) AS bought ON touchpoint.order_ref <> ''
WHERE (%(types)s::int[] IS NULL OR touchpoint.type_id = ANY(%(types)s::int[]))
  AND (%(as_of)s::timestamptz IS NULL OR touchpoint.occurred_at <= %(as_of)s)
  AND (%(known_at)s::timestamptz IS NULL OR touchpoint.received_at <= %(known_at)s)
ORDER BY owned.place, touchpoint.occurred_at DESC, touchpoint.id DESC
