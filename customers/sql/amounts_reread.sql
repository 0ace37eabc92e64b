-- Give touchpoints the amounts that were read anew, in one statement: the touchpoints, the copies of their amounts beside
-- named properties, the lines of orders (turned where only the sign is another; added where there were none, or in place
-- of others), what was changed, and one Stale row per profile. One row: how many.
-- Parameters: told (a JSON array of {"id", "amount", "original", "currency", "order_ref", "flags", "turns", "lines",
-- "replaces"}), at, cause.
-- Index: the primary key of touchpoints, that of property values; the order line's touchpoint.
WITH told AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(told)s::jsonb) AS t (
        id bigint, amount bigint, original numeric, currency text, order_ref text, flags smallint, turns boolean,
        lines jsonb, replaces boolean
    )
), before AS MATERIALIZED (
    SELECT touchpoint.id, touchpoint.amount
    FROM customers_touchpoint AS touchpoint
    JOIN told ON told.id = touchpoint.id
    ORDER BY touchpoint.id
    FOR NO KEY UPDATE OF touchpoint
), changed AS (
    UPDATE customers_touchpoint AS touchpoint
    SET amount = told.amount, original_amount = told.original, currency = told.currency, order_ref = told.order_ref,
        flags = told.flags
    FROM told
    JOIN before ON before.id = told.id
    WHERE touchpoint.id = told.id
    RETURNING touchpoint.id, touchpoint.profile_id, touchpoint.amount, before.amount AS amount_before
), copied AS (
    UPDATE customers_propertyvalue AS value
    SET amount = changed.amount
    FROM changed
    WHERE value.touchpoint_id = changed.id
), turned AS (
    UPDATE customers_orderline AS line
    SET amount = -line.amount
    FROM told
    WHERE line.touchpoint_id = told.id AND told.turns
), gone AS (
    DELETE FROM customers_orderline AS line USING told WHERE line.touchpoint_id = told.id AND told.replaces
), line AS (
    INSERT INTO customers_orderline (
        touchpoint_id, number, product, description, category, quantity, amount, cost, is_product
    )
    SELECT changed.id, line.number, line.product, line.description, line.category, line.quantity, line.amount, NULL, true
    FROM changed
    JOIN told ON told.id = changed.id
    CROSS JOIN LATERAL jsonb_to_recordset(told.lines) AS line (
        number int, product text, description text, category text, quantity numeric, amount bigint
    )
    WHERE told.lines <> '[]'
), noted AS (
    INSERT INTO customers_amountchange (touchpoint_id, profile_id, amount, amount_before, recorded_at)
    SELECT id, profile_id, amount, amount_before, %(at)s
    FROM changed
    WHERE amount IS DISTINCT FROM amount_before AND amount IS NOT NULL
    ORDER BY id
), stale AS (
    INSERT INTO customers_stale (profile_id, cause, attempts)
    SELECT DISTINCT profile_id, %(cause)s::smallint, 0
    FROM changed
    WHERE amount IS DISTINCT FROM amount_before
    ORDER BY profile_id
)
SELECT count(*) FROM changed
