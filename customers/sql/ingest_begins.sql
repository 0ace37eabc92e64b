-- What an ingest must know before it writes: the time, from which on no property is registered until it commits, the news
-- window, whose the named identities are, and the numbers of names in the catalogue. One row: now, news_hours,
-- of each identity that is known (four parallel arrays, which cost a quarter of what JSON does): its place among those
-- asked about, from 1, its profile, the profile's customer, whether the profile has a user id; types {name: id},
-- channels {key: id}, erased (those of the digests that are of erased identifiers), whether anybody was ever erased.
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
    SELECT asked.place, identity.kind, identity.profile_id, profile.customer_id
    FROM unnest(%(kinds)s::text[], %(identity_values)s::text[]) WITH ORDINALITY AS asked (kind, value, place)
    JOIN customers_identity AS identity ON identity.kind = asked.kind AND identity.value = asked.value
    JOIN customers_profile AS profile ON profile.id = identity.profile_id
)
SELECT clock.now,
       coalesce((SELECT news_hours FROM customers_installation WHERE id = 1), 24),
       people.places, people.profiles, people.customers, people.have_users,
       (SELECT coalesce(jsonb_object_agg(name, id), '{}')
        FROM customers_touchpointtype WHERE name = ANY(%(types)s::text[]))::text,
       (SELECT coalesce(jsonb_object_agg(key, id), '{}')
        FROM customers_channel WHERE key = ANY(%(channels)s::text[]))::text,
       ARRAY(SELECT digest FROM customers_erasedidentifier WHERE digest = ANY(%(digests)s::text[])),
       EXISTS (SELECT FROM customers_erasedidentifier)
FROM clock
CROSS JOIN (
    SELECT coalesce(array_agg(place), '{}') AS places,
           coalesce(array_agg(profile_id), '{}') AS profiles,
           coalesce(array_agg(customer_id), '{}') AS customers,
           -- Most who are asked about by a device are asked about by their user id as well.
           coalesce(array_agg(
               kind = 'user_id' OR profile_id IN (SELECT profile_id FROM person WHERE kind = 'user_id') OR EXISTS (
                   SELECT FROM customers_identity AS own
                   WHERE own.profile_id = person.profile_id AND own.kind = 'user_id'
               )
           ), '{}') AS have_users
    FROM person
) AS people
