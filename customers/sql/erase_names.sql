-- Take away everything that says who some profiles are: identities, traits and whatever was told of them (of tellings by a
-- message the hash stays until erase_tellings has found the body by it), steps of scores, consents, accounts, possible
-- merges and the reasons of merges, with their histories; and leave the portraits of their customers blank. The profiles
-- are marked as erased, so that nothing arrives under them any more. One row: how many identities, traits, tellings,
-- consents and affiliations there were.
-- Parameters: profiles, customers (those they belong to, and whoever was merged into these), erasure, at.
-- Index: customers_identity_profile_id, trait_has_one_value_at_an_instant, trait_telling_of_profile,
-- customers_consent_profile_id, customers_affiliation_profile_id; event tables and possible merges are read whole.
WITH identity AS (
    DELETE FROM customers_identity WHERE profile_id = ANY(%(profiles)s::bigint[]) RETURNING 1
), trait AS (
    DELETE FROM customers_trait WHERE profile_id = ANY(%(profiles)s::bigint[]) RETURNING 1
), telling AS (
    DELETE FROM customers_traittelling
    WHERE profile_id = ANY(%(profiles)s::bigint[]) AND message_hash IS NULL
    RETURNING 1
), told AS (
    UPDATE customers_traittelling
    SET traits = '{}'
    WHERE profile_id = ANY(%(profiles)s::bigint[]) AND message_hash IS NOT NULL
    RETURNING 1
), score AS (
    DELETE FROM customers_scorestep WHERE profile_id = ANY(%(profiles)s::bigint[])
), consent AS (
    DELETE FROM customers_consent WHERE profile_id = ANY(%(profiles)s::bigint[]) RETURNING 1
), consent_history AS (
    DELETE FROM customers_consentevent WHERE profile_id = ANY(%(profiles)s::bigint[])
), affiliation AS (
    DELETE FROM customers_affiliation WHERE profile_id = ANY(%(profiles)s::bigint[]) RETURNING 1
), possible AS (
    DELETE FROM customers_possiblemerge
    WHERE profile_id = ANY(%(profiles)s::bigint[]) OR other_id = ANY(%(profiles)s::bigint[])
), merge AS (
    UPDATE customers_merge SET reason = ''
    WHERE (survivor_id = ANY(%(customers)s::bigint[]) OR absorbed_id = ANY(%(customers)s::bigint[])) AND reason <> ''
), merge_history AS (
    UPDATE customers_mergeevent SET reason = ''
    WHERE (survivor_id = ANY(%(customers)s::bigint[]) OR absorbed_id = ANY(%(customers)s::bigint[])) AND reason <> ''
), profile AS (
    UPDATE customers_profile SET erasure_id = %(erasure)s::bigint WHERE id = ANY(%(profiles)s::bigint[])
), customer AS (
    UPDATE customers_customer
    SET name = '', email = '', phone = '', search_text = '', is_anonymous = true, portrayed_at = clock_timestamp(),
        erased_at = %(at)s::timestamptz
    WHERE id = ANY(%(customers)s::bigint[])
)
SELECT (SELECT count(*) FROM identity), (SELECT count(*) FROM trait),
       (SELECT count(*) FROM telling) + (SELECT count(*) FROM told), (SELECT count(*) FROM consent),
       (SELECT count(*) FROM affiliation)
