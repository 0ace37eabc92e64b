-- New names enter the catalogue; a number is drawn only for what is really new. One row per name added: what, id, name.
-- Parameters: types, roles (parallel arrays), channels, at.  Index: the names' own.
WITH type AS (
    INSERT INTO customers_touchpointtype (name, role, created_at)
    SELECT told.name, told.role, %(at)s
    FROM unnest(%(types)s::text[], %(roles)s::text[]) AS told (name, role)
    WHERE NOT EXISTS (SELECT FROM customers_touchpointtype AS known WHERE known.name = told.name)
    ORDER BY told.name
    ON CONFLICT (name) DO NOTHING
    RETURNING id, name
), channel AS (
    INSERT INTO customers_channel (key)
    SELECT told.key
    FROM unnest(%(channels)s::text[]) AS told (key)
    WHERE NOT EXISTS (SELECT FROM customers_channel AS known WHERE known.key = told.key)
    ORDER BY told.key
    ON CONFLICT (key) DO NOTHING
    RETURNING id, key
)
SELECT 'type', id, name FROM type
UNION ALL
SELECT 'channel', id, key FROM channel
