-- Stop believing some transitions. Parameters: customers, versions, entered (parallel arrays), now.
-- Index: customer_enters_one_stage_at_an_instant.
UPDATE lifecycle_transition AS transition
SET superseded_at = greatest(%(now)s, transition.recorded_at)
FROM unnest(%(customers)s::bigint[], %(versions)s::int[], %(entered)s::timestamptz[]) AS gone (customer, version, entered)
WHERE transition.customer_id = gone.customer AND transition.version_id = gone.version
  AND transition.entered_at = gone.entered AND transition.superseded_at IS NULL
