-- The touchpoints of some profiles, as replay and advance read them: profile, occurred_at, type, channel, amount.
-- Parameters: profiles.  Index: touchpoint_replay, index-only.
SELECT profile_id, occurred_at, type_id, channel_id, coalesce(amount, 0)
FROM customers_touchpoint
WHERE profile_id = ANY(%(profiles)s)
ORDER BY profile_id, occurred_at
