-- Put pairs into the review queue, each once: not if the pair is in it, not if somebody decided about any profiles of these
-- two customers before, not if both are one customer or one of them was erased. One row per pair added.
-- Parameters: profiles, others (parallel arrays, the lower id first), kinds, told (values), scores, evidence (JSON texts), source
-- (id or NULL), at.
-- Index: possible_merge_is_told_once, customers_profile_customer_id.
WITH asked AS (
    SELECT DISTINCT ON (profile, other) profile, other, kind, value, score, evidence
    FROM unnest(
             %(profiles)s::bigint[], %(others)s::bigint[], %(kinds)s::text[], %(told)s::text[], %(scores)s::smallint[],
             %(evidence)s::jsonb[]
         ) AS t (profile, other, kind, value, score, evidence)
    ORDER BY profile, other, score DESC
)
INSERT INTO customers_possiblemerge (profile_id, other_id, kind, value, score, evidence, source_id, found_at)
SELECT asked.profile, asked.other, asked.kind, asked.value, asked.score, asked.evidence, %(source)s::int,
       %(at)s::timestamptz
FROM asked
JOIN customers_profile AS mine ON mine.id = asked.profile AND mine.erasure_id IS NULL
JOIN customers_profile AS theirs ON theirs.id = asked.other AND theirs.erasure_id IS NULL
WHERE mine.customer_id <> theirs.customer_id
  AND NOT EXISTS (
      SELECT FROM customers_profile AS one
      JOIN customers_possiblemerge AS known ON known.profile_id = one.id
      JOIN customers_profile AS two ON two.id = known.other_id AND two.customer_id = theirs.customer_id
      WHERE one.customer_id = mine.customer_id
  )
  AND NOT EXISTS (
      SELECT FROM customers_profile AS one
      JOIN customers_possiblemerge AS known ON known.profile_id = one.id
      JOIN customers_profile AS two ON two.id = known.other_id AND two.customer_id = mine.customer_id
      WHERE one.customer_id = theirs.customer_id
  )
ORDER BY asked.profile, asked.other
ON CONFLICT (profile_id, other_id) DO NOTHING
RETURNING id
