-- Who takes part in an experiment: one row per assignment: the customer whose the profile is now, when, the microseconds
-- of that instant below a millisecond, and the variant. Parameters: experiment, until_at (assigned until then).
-- Index: profile_is_assigned_once; where most of a large table is asked for it is read whole, and the profiles too.
SELECT profile.customer_id, assignment.at, mod(date_part('microseconds', assignment.at)::int, 1000)::smallint,
       assignment.variant_id
FROM campaigns_assignment AS assignment
JOIN customers_profile AS profile ON profile.id = assignment.profile_id
WHERE assignment.experiment_id = %(experiment)s AND assignment.at <= %(until_at)s
