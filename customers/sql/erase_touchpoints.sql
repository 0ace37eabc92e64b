-- Blank the text of some touchpoints of one profile: properties, reference and lines, and the values of named properties.
-- Type, instants and amounts stay, under nobody's name. One row for each, in order of time: occurred_at, id, received_at,
-- source, message_hash, whether it had text; from the last one the next part goes on.
-- Parameters: profile, after_at, after_id (the last one of the part before), limit.
-- Index: touchpoint_replay, customers_orderline_touchpoint_id, the primary key of values.
WITH part AS MATERIALIZED (
    SELECT id, occurred_at, received_at, source_id, message_hash,
           properties <> '{}' OR order_ref <> '' OR body_hash <> 0 AS has_text
    FROM customers_touchpoint
    WHERE profile_id = %(profile)s::bigint
      AND (occurred_at, id) > (%(after_at)s::timestamptz, %(after_id)s::bigint)
    ORDER BY occurred_at, id
    LIMIT %(limit)s::int
), value AS (
    DELETE FROM customers_propertyvalue AS value USING part WHERE value.touchpoint_id = part.id
), line AS (
    UPDATE customers_orderline AS line
    SET product = '', description = '', category = ''
    FROM part
    WHERE line.touchpoint_id = part.id AND (line.product <> '' OR line.description <> '' OR line.category <> '')
), blanked AS (
    UPDATE customers_touchpoint AS touchpoint
    SET properties = '{}', order_ref = '', body_hash = 0
    FROM part
    WHERE touchpoint.id = part.id AND part.has_text
)
SELECT occurred_at, id, received_at, source_id, message_hash, has_text FROM part ORDER BY occurred_at, id
