-- Blank the text of some touchpoints of one profile: properties, reference and lines, the values of named properties, and
-- the bodies they arrived as. Type, instants and amounts stay, under nobody's name. One row: how many were looked at, how
-- many of them had text, and the last one (its instant and id), from which the next part goes on.
-- Parameters: profile, after_at, after_id (the last one of the part before), limit.
-- Index: touchpoint_replay, customers_orderline_touchpoint_id, the primary keys of values and bodies.
WITH part AS MATERIALIZED (
    SELECT id, occurred_at, received_at, source_id, message_hash,
           properties <> '{}' OR order_ref <> '' OR body_hash <> 0 AS has_text
    FROM customers_touchpoint
    WHERE profile_id = %(profile)s::bigint
      AND (occurred_at, id) > (%(after_at)s::timestamptz, %(after_id)s::bigint)
    ORDER BY occurred_at, id
    LIMIT %(limit)s::int
), body AS (
    DELETE FROM customers_rawbody AS body
    USING part
    WHERE body.received_at = part.received_at AND body.source_id = part.source_id
      AND body.message_hash = part.message_hash
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
SELECT count(*), count(*) FILTER (WHERE has_text), max(occurred_at),
       (SELECT id FROM part ORDER BY occurred_at DESC, id DESC LIMIT 1)
FROM part
