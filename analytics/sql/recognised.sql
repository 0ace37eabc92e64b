-- Who is recognised by exactly one of some values, whatever kind of identity it is. One row: customer.
-- Parameters: values, most.
-- Index: identity_belongs_to_one_profile (kind, value): its few kinds are stepped through, then each value is one probe.
WITH RECURSIVE kind (name) AS (
    (SELECT kind FROM customers_identity ORDER BY kind LIMIT 1)
    UNION ALL
    SELECT (SELECT kind FROM customers_identity WHERE customers_identity.kind > kind.name ORDER BY kind LIMIT 1)
    FROM kind
    WHERE kind.name IS NOT NULL
)
SELECT DISTINCT profile.customer_id
FROM kind
JOIN customers_identity AS identity ON identity.kind = kind.name AND identity.value = ANY(%(values)s::text[])
JOIN customers_profile AS profile ON profile.id = identity.profile_id
LIMIT %(most)s
