-- Note that erased identifiers were named again. Locked in order of their digests, so that two batches that name the same
-- ones wait for each other and never in a circle. One row per digest met.
-- Parameters: digests, counts (parallel arrays), at.  Index: the digest's own.
WITH told AS (
    SELECT digest, count FROM unnest(%(digests)s::text[], %(counts)s::bigint[]) AS t (digest, count)
), held AS MATERIALIZED (
    SELECT erased.id, told.count
    FROM customers_erasedidentifier AS erased
    JOIN told ON told.digest = erased.digest
    ORDER BY erased.digest
    FOR NO KEY UPDATE OF erased
)
UPDATE customers_erasedidentifier AS erased
SET met = erased.met + held.count, met_at = %(at)s::timestamptz
FROM held
WHERE erased.id = held.id
RETURNING erased.digest
