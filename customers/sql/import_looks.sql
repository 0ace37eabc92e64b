-- What is known, before a portion of an import is stored, of whom and of what it speaks. Each look-up stands behind a
-- fence (OFFSET 0): the planner takes a thousand people for many more, and would read whole tables.
-- One row: the clock; people [[kind, value, customer]]; traits [[customer, key, value, last_seen_at]] as they are now;
-- messages [hash] that are stored; consents [[lower address, channel, purpose, state, at, id]]; affiliations
-- [[customer, account key]].
-- Parameters: kinds, identity_values (parallel arrays), keys (of traits), source, touchpoints, tellings (hashes of
-- messages), addresses (lower).
-- Indexes: identity_belongs_to_one_profile, customers_profile_customer_id, trait_has_one_value_at_an_instant,
-- message_is_stored_once, telling_is_stored_once, consent_of_address, customers_affiliation_profile_id.
WITH person AS MATERIALIZED (
    SELECT identity.kind, identity.value, profile.customer_id AS customer
    FROM unnest(%(kinds)s::text[], %(identity_values)s::text[]) AS asked (kind, value)
    CROSS JOIN LATERAL (
        SELECT kind, value, profile_id FROM customers_identity
        WHERE kind = asked.kind AND value = asked.value
        OFFSET 0
    ) AS identity
    JOIN customers_profile AS profile ON profile.id = identity.profile_id
), theirs AS MATERIALIZED (
    SELECT profile.id, profile.customer_id AS customer
    FROM (SELECT DISTINCT customer FROM person) AS met
    JOIN customers_profile AS profile ON profile.customer_id = met.customer
), trait AS (
    SELECT DISTINCT ON (theirs.customer, trait.key) theirs.customer, trait.key, trait.value, trait.last_seen_at
    FROM theirs
    CROSS JOIN LATERAL (
        SELECT id, key, value, last_seen_at FROM customers_trait
        WHERE profile_id = theirs.id AND key = ANY(%(keys)s::text[])
        OFFSET 0
    ) AS trait
    ORDER BY theirs.customer, trait.key, trait.last_seen_at DESC, trait.id DESC
)
SELECT clock_timestamp(),
       (SELECT coalesce(jsonb_agg(jsonb_build_array(kind, value, customer)), '[]') FROM person)::text,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(
                   customer, key, value::text, extract(epoch FROM last_seen_at))), '[]') FROM trait)::text,
       (SELECT coalesce(jsonb_agg(message_hash), '[]') FROM (
            SELECT message_hash FROM customers_touchpoint
            WHERE source_id = %(source)s AND message_hash = ANY(%(touchpoints)s::uuid[])
            UNION ALL
            SELECT message_hash FROM customers_traittelling
            WHERE source_id = %(source)s AND message_hash = ANY(%(tellings)s::uuid[])
        ) AS stored)::text,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(
                   lower(address), channel, purpose, state, extract(epoch FROM at), id)), '[]')
        FROM customers_consent WHERE lower(address) = ANY(%(addresses)s::text[]))::text,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(theirs.customer, account.key)), '[]')
        FROM theirs
        CROSS JOIN LATERAL (
            SELECT account.key
            FROM customers_affiliation AS affiliation
            JOIN customers_account AS account ON account.id = affiliation.account_id
            WHERE affiliation.profile_id = theirs.id AND affiliation.until_at IS NULL
            OFFSET 0
        ) AS account)::text
