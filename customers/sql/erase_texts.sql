-- What names a person whose profiles these are, so that it can be looked for elsewhere: identities, addresses of consent,
-- and what was ever told of the traits that name somebody. One row: kind ('' for a trait or an address), value.
-- Parameters: profiles.  Index: customers_identity_profile_id, trait_telling_of_profile, customers_consent_profile_id.
SELECT kind, value FROM customers_identity WHERE profile_id = ANY(%(profiles)s::bigint[])
UNION
SELECT '', address FROM customers_consent WHERE profile_id = ANY(%(profiles)s::bigint[])
UNION
SELECT told.key, telling.traits ->> told.key
FROM customers_traittelling AS telling
CROSS JOIN LATERAL jsonb_object_keys(telling.traits) AS told (key)
WHERE telling.profile_id = ANY(%(profiles)s::bigint[])
  AND told.key IN ('name', 'email', 'phone') AND jsonb_typeof(telling.traits -> told.key) = 'string'
UNION
SELECT 'name', trim(concat_ws(' ', telling.traits ->> 'firstName', telling.traits ->> 'lastName'))
FROM customers_traittelling AS telling
WHERE telling.profile_id = ANY(%(profiles)s::bigint[]) AND telling.traits ?& ARRAY['firstName', 'lastName']
UNION
SELECT trait.key, trait.value #>> '{}'
FROM customers_trait AS trait
WHERE trait.profile_id = ANY(%(profiles)s::bigint[])
  AND trait.key IN ('name', 'email', 'phone') AND jsonb_typeof(trait.value) = 'string'
