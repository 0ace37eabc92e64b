-- Give new identities their profile, new profiles their customer, and lock the known profiles that traits are told of, in
-- order of id. A profile number is drawn from the sequence for each new group of identities. Two transactions meeting
-- the same new person wait for each other here; where somebody else was first, no customer is made and nothing is
-- locked: the caller finds out whose the lost identities are and goes on by hand.
-- One row: what (stored, made or locked), kind, value, profile.
-- Parameters: kinds, identity_values, known_profiles (0: new), groups (ordinal of the new group, 0: none; parallel
-- arrays), group_count, telling (known profiles to lock), at.
WITH fresh AS MATERIALIZED (
    -- Which sequence it is is looked up once, and not for each number.
    SELECT ordinal, nextval((SELECT pg_get_serial_sequence('customers_profile', 'id')::regclass)) AS profile
    FROM generate_series(1, %(group_count)s::int) AS ordinal
), told AS MATERIALIZED (
    SELECT *
    FROM unnest(
             %(kinds)s::text[], %(identity_values)s::text[], %(known_profiles)s::bigint[], %(groups)s::bigint[]
         ) AS t (kind, value, known, group_ordinal)
), stored AS (
    INSERT INTO customers_identity (kind, value, profile_id, created_at)
    SELECT told.kind, told.value, coalesce(nullif(told.known, 0), fresh.profile), %(at)s::timestamptz
    FROM told
    LEFT JOIN fresh ON fresh.ordinal = told.group_ordinal
    ORDER BY told.kind, told.value
    ON CONFLICT (kind, value) DO NOTHING
    RETURNING kind, value, profile_id
), alone AS MATERIALIZED (
    SELECT (SELECT count(*) FROM stored) = (SELECT count(*) FROM told) AS is_so
), numbered AS MATERIALIZED (
    SELECT profile, nextval((SELECT pg_get_serial_sequence('customers_customer', 'id')::regclass)) AS customer
    FROM (
        SELECT profile FROM fresh
        WHERE (SELECT is_so FROM alone) AND ordinal IN (SELECT group_ordinal FROM told)
        ORDER BY profile
    ) AS ordered
), customer AS (
    INSERT INTO customers_customer (id, created_at, name, email, phone, search_text)
    SELECT customer, %(at)s::timestamptz, '', '', '', '' FROM numbered
), profile AS (
    INSERT INTO customers_profile (id, customer_id, created_at)
    SELECT profile, customer, %(at)s::timestamptz FROM numbered
), locked AS (
    SELECT id FROM customers_profile
    WHERE id = ANY(%(telling)s::bigint[]) AND (SELECT is_so FROM alone)
    ORDER BY id
    FOR NO KEY UPDATE
)
SELECT 'stored', kind, value, profile_id FROM stored
UNION ALL
SELECT 'made', '', '', profile FROM numbered
UNION ALL
SELECT 'locked', '', '', id FROM locked
