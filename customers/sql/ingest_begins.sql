-- What an ingest must know before it writes: the time, from which on no property is registered until it commits, the news
-- window, whose the named identities are, and the numbers of names in the catalogue. One row: now, news_hours,
-- people [[kind, value, profile, customer, whether the profile has a user id]], types {name: id}, channels {key: id},
-- erased (those of the digests that are of erased identifiers), whether anybody was ever erased.
-- Parameters: lock (PROPERTY_KEYS), patience and limit (lock_timeout and statement_timeout of this transaction; NULL: as
-- they are), kinds, identity_values (parallel arrays), types, channels (names), digests.
-- Index: identity_belongs_to_one_profile, customers_identity_profile_id, the names' and the digests' own.
WITH held AS MATERIALIZED (
    SELECT set_config('lock_timeout', coalesce(%(patience)s::text, current_setting('lock_timeout')), true),
           set_config('statement_timeout', coalesce(%(limit)s::text, current_setting('statement_timeout')), true),
           pg_advisory_xact_lock_shared(%(lock)s::int, 0)
), clock AS MATERIALIZED (
    SELECT clock_timestamp() AS now FROM held
), person AS MATERIALIZED (
    SELECT identity.kind, identity.value, identity.profile_id, profile.customer_id
    FROM unnest(%(kinds)s::text[], %(identity_values)s::text[]) AS asked (kind, value)
    JOIN customers_identity AS identity ON identity.kind = asked.kind AND identity.value = asked.value
    JOIN customers_profile AS profile ON profile.id = identity.profile_id
)
SELECT clock.now,
       coalesce((SELECT news_hours FROM customers_installation WHERE id = 1), 24),
       -- Most who are asked about by a device are asked about by their user id as well.
       (SELECT coalesce(json_agg(json_build_array(
                   kind, value, profile_id, customer_id,
                   kind = 'user_id' OR profile_id IN (SELECT profile_id FROM person WHERE kind = 'user_id') OR EXISTS (
                       SELECT FROM customers_identity AS own
                       WHERE own.profile_id = person.profile_id AND own.kind = 'user_id'
                   )
               )), '[]')
        FROM person)::text,
       (SELECT coalesce(jsonb_object_agg(name, id), '{}')
        FROM customers_touchpointtype WHERE name = ANY(%(types)s::text[]))::text,
       (SELECT coalesce(jsonb_object_agg(key, id), '{}')
        FROM customers_channel WHERE key = ANY(%(channels)s::text[]))::text,
       ARRAY(SELECT digest FROM customers_erasedidentifier WHERE digest = ANY(%(digests)s::text[])),
       EXISTS (SELECT FROM customers_erasedidentifier)
FROM clock
