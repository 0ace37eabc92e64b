-- Take tellings back, and of the traits that they told all steps: what was told otherwise makes them anew.
-- One row: profile, key.
-- Parameters: tellings (ids).  Indexes: the primary key of tellings, trait_has_one_value_at_an_instant.
WITH gone AS (
    DELETE FROM customers_traittelling WHERE id = ANY(%(tellings)s::bigint[])
    RETURNING profile_id, traits
), asked AS MATERIALIZED (
    SELECT DISTINCT gone.profile_id AS profile, told.key
    FROM gone CROSS JOIN LATERAL jsonb_object_keys(gone.traits) AS told (key)
), steps AS (
    DELETE FROM customers_trait AS trait USING asked
    WHERE trait.profile_id = asked.profile AND trait.key = asked.key
)
SELECT profile, key FROM asked ORDER BY profile, key
