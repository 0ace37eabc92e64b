-- What of one portion other imports of its source brought too, or found stored and said again: it stays theirs.
-- One row: touchpoints, tellings, identities, affiliations (ids).
-- Parameters: import, source, touchpoints, tellings, identities, affiliations.  Index: of imports by source.
SELECT coalesce(array_agg(DISTINCT one.id) FILTER (WHERE one.what = 1), '{}'),
       coalesce(array_agg(DISTINCT one.id) FILTER (WHERE one.what = 2), '{}'),
       coalesce(array_agg(DISTINCT one.id) FILTER (WHERE one.what = 3), '{}'),
       coalesce(array_agg(DISTINCT one.id) FILTER (WHERE one.what = 4), '{}')
FROM customers_import AS other
JOIN customers_importbrought AS brought ON brought.from_import_id = other.id AND brought.undone_at IS NULL
    AND (brought.touchpoints && %(touchpoints)s::bigint[] OR brought.tellings && %(tellings)s::bigint[]
         OR brought.identities && %(identities)s::bigint[] OR brought.affiliations && %(affiliations)s::bigint[])
CROSS JOIN LATERAL (
    SELECT 1, id FROM unnest(brought.touchpoints) AS id WHERE id = ANY(%(touchpoints)s::bigint[])
    UNION ALL
    SELECT 2, id FROM unnest(brought.tellings) AS id WHERE id = ANY(%(tellings)s::bigint[])
    UNION ALL
    SELECT 3, id FROM unnest(brought.identities) AS id WHERE id = ANY(%(identities)s::bigint[])
    UNION ALL
    SELECT 4, id FROM unnest(brought.affiliations) AS id WHERE id = ANY(%(affiliations)s::bigint[])
) AS one (what, id)
WHERE other.source_id = %(source)s AND other.id <> %(import)s
