-- Take identities back that nothing else speaks of. An address or a number stays if a trait still tells it; every other id
-- if anything is left of its profile that came since, which is from elsewhere; and so do all of a profile that would be
-- left with facts and without a name. No row.
-- Parameters: identities (ids).
-- Indexes: the primary key, customers_identity_profile_id, touchpoint_replay, trait_telling_of_profile.
WITH asked AS MATERIALIZED (
    SELECT identity.id, identity.profile_id, identity.kind, identity.value, identity.created_at
    FROM customers_identity AS identity WHERE identity.id = ANY(%(identities)s::bigint[])
), judged AS MATERIALIZED (
    SELECT asked.id, asked.profile_id, CASE
               WHEN asked.kind IN ('email', 'phone') THEN EXISTS (
                   SELECT FROM customers_trait AS trait
                   WHERE trait.profile_id = asked.profile_id AND trait.key = asked.kind
                     AND lower(trait.value #>> '{}') = lower(asked.value)
               )
               ELSE EXISTS (
                   SELECT FROM customers_touchpoint AS touchpoint
                   WHERE touchpoint.profile_id = asked.profile_id
                     AND touchpoint.received_at >= date_trunc('milliseconds', asked.created_at)
               ) OR EXISTS (
                   SELECT FROM customers_traittelling AS telling
                   WHERE telling.profile_id = asked.profile_id AND telling.recorded_at >= asked.created_at
               )
           END AS stays
    FROM asked
), named AS MATERIALIZED (
    SELECT profile_id, bool_or(stays) OR EXISTS (
               SELECT FROM customers_identity AS own
               WHERE own.profile_id = judged.profile_id AND NOT own.id = ANY(%(identities)s::bigint[])
           ) AS keeps_a_name,
           EXISTS (SELECT FROM customers_touchpoint AS t WHERE t.profile_id = judged.profile_id)
           OR EXISTS (SELECT FROM customers_traittelling AS t WHERE t.profile_id = judged.profile_id)
           OR EXISTS (SELECT FROM customers_consent AS t WHERE t.profile_id = judged.profile_id) AS has_facts
    FROM judged GROUP BY profile_id
)
DELETE FROM customers_identity AS identity USING judged, named
WHERE identity.id = judged.id AND named.profile_id = judged.profile_id AND NOT judged.stays
  AND (named.keeps_a_name OR NOT named.has_facts)
