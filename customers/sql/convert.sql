-- Give touchpoints the amounts that they had no rate for, in one statement: the touchpoints, the copies of their amounts
-- beside named properties, the lines of orders, what was changed, and one Stale row per profile. One row: how many.
-- Those that have an amount by now are left alone.
-- Parameters: told (a JSON array of {"id", "amount", "lines"}), flag (the bit that says there was no rate), at, cause.
-- Index: the primary key of touchpoints, that of property values.
WITH told AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(told)s::jsonb) AS t (id bigint, amount bigint, lines jsonb)
), changed AS (
    UPDATE customers_touchpoint AS touchpoint
    SET amount = told.amount, flags = touchpoint.flags & ~%(flag)s::smallint
    FROM told
    WHERE touchpoint.id = told.id AND touchpoint.amount IS NULL AND touchpoint.original_amount IS NOT NULL
    RETURNING touchpoint.id, touchpoint.profile_id, touchpoint.amount
), copied AS (
    UPDATE customers_propertyvalue AS value
    SET amount = changed.amount
    FROM changed
    WHERE value.touchpoint_id = changed.id
), line AS (
    INSERT INTO customers_orderline (
        touchpoint_id, number, product, description, category, quantity, amount, cost, is_product
    )
    SELECT changed.id, line.number, line.product, line.description, line.category, line.quantity, line.amount, NULL,
           line.is_product
    FROM changed
    JOIN told ON told.id = changed.id
    CROSS JOIN LATERAL jsonb_to_recordset(told.lines) AS line (
        number int, product text, description text, category text, quantity numeric, amount bigint, is_product boolean
    )
    WHERE told.lines <> '[]'
), noted AS (
    INSERT INTO customers_amountchange (touchpoint_id, profile_id, amount, recorded_at)
    SELECT id, profile_id, amount, %(at)s FROM changed ORDER BY id
), stale AS (
    INSERT INTO customers_stale (profile_id, cause, attempts)
    SELECT DISTINCT profile_id, %(cause)s::smallint, 0 FROM changed ORDER BY profile_id
)
SELECT count(*) FROM changed
