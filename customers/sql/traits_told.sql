-- Everything told of all traits of some profiles until an instant, in order of time and of two at one instant in the
-- order in which they were recorded. One row: key, value (JSON text), told_at.
-- Parameters: profiles, as_of, known_at (NULL: whatever is known today; what was recorded before that was kept counts as
-- always known).  Index: trait_telling_of_profile.
SELECT told.key, told.value::text, telling.told_at
FROM customers_traittelling AS telling
CROSS JOIN LATERAL jsonb_each(telling.traits) AS told
WHERE telling.profile_id = ANY(%(profiles)s::bigint[]) AND telling.told_at <= %(as_of)s
  AND (%(known_at)s::timestamptz IS NULL OR telling.recorded_at IS NULL OR telling.recorded_at <= %(known_at)s)
ORDER BY telling.told_at, telling.id
