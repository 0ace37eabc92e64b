-- Keep the values of one property for a range of touchpoints that were stored before it was named.
-- Parameters: property_key, name, first, last (touchpoint ids).  Index: the primary key of touchpoints.
INSERT INTO customers_propertyvalue (
    touchpoint_id, property_key_id, profile_id, type_id, channel_id, occurred_at, amount, kind, text
)
SELECT id, %(property_key)s, profile_id, type_id, channel_id, occurred_at, amount,
       CASE jsonb_typeof(properties -> %(name)s)
           WHEN 'string' THEN 1 WHEN 'number' THEN 2 WHEN 'boolean' THEN 3 ELSE 4 END,
       CASE WHEN jsonb_typeof(properties -> %(name)s) IN ('string', 'number', 'boolean')
           THEN properties ->> %(name)s ELSE '' END
FROM customers_touchpoint
WHERE id BETWEEN %(first)s AND %(last)s
  AND properties ? %(name)s
  AND jsonb_typeof(properties -> %(name)s) <> 'null'
ON CONFLICT DO NOTHING
