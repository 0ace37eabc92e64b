-- What became known of the customers of an experiment after its end. One row: touchpoints within the days that its
-- metrics look at which arrived later; touchpoints whose money was converted later; customers who were given profiles, or
-- lost some, later; and customers erased later.
-- Parameters: experiment, until_at (its end), known_at (when its result was kept), before, days (the widest of its metrics), types (ids of the types that
-- count; NULL: all of them).
-- Indexes: profile_is_assigned_once, touchpoint_replay, amount_changed; moves of profiles are few and read whole.
WITH given AS MATERIALIZED (
    SELECT profile.customer_id, min(assignment.at) AS at
    FROM campaigns_assignment AS assignment
    JOIN customers_profile AS profile ON profile.id = assignment.profile_id
    WHERE assignment.experiment_id = %(experiment)s AND assignment.at <= %(until_at)s
    GROUP BY profile.customer_id
), looked_at AS (
    SELECT profile.id AS profile_id, given.at - make_interval(hours => 24 * %(before)s::int) AS after_at,
           least(given.at + make_interval(hours => 24 * %(days)s::int), %(until_at)s::timestamptz) AS upto_at
    FROM given
    JOIN customers_profile AS profile ON profile.customer_id = given.customer_id
)
SELECT (
    SELECT count(*)
    FROM looked_at
    JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = looked_at.profile_id
        AND touchpoint.occurred_at > looked_at.after_at AND touchpoint.occurred_at <= looked_at.upto_at
        AND (%(types)s::int[] IS NULL OR touchpoint.type_id = ANY(%(types)s::int[]))
    WHERE touchpoint.received_at > %(known_at)s
) AS late, (
    SELECT count(*)
    FROM customers_amountchange AS change
    JOIN looked_at ON looked_at.profile_id = change.profile_id
    JOIN customers_touchpoint AS touchpoint ON touchpoint.id = change.touchpoint_id
        AND touchpoint.occurred_at > looked_at.after_at AND touchpoint.occurred_at <= looked_at.upto_at
    WHERE change.recorded_at > %(known_at)s AND touchpoint.received_at <= %(known_at)s
) AS converted, (
    SELECT count(DISTINCT given.customer_id)
    FROM customers_profilemove AS move
    JOIN given ON given.customer_id IN (move.from_customer_id, move.to_customer_id)
    WHERE move.at > %(known_at)s
) AS moved, (
    SELECT count(*)
    FROM given
    JOIN customers_customer AS customer ON customer.id = given.customer_id
    WHERE customer.erased_at > %(known_at)s
) AS erased
