-- Record what was told of profiles, unless the same was said of the same instant before. No row.
-- Parameters: profiles, told_at, traits (JSON objects; parallel arrays), the profiles locked by the caller.
-- Index: trait_telling_of_profile.
INSERT INTO customers_traittelling (profile_id, told_at, traits)
SELECT told.profile, told.at, told.traits::jsonb
FROM unnest(%(profiles)s::bigint[], %(told_at)s::timestamptz[], %(traits)s::text[])
    WITH ORDINALITY AS told (profile, at, traits, place)
WHERE NOT EXISTS (
    SELECT FROM customers_traittelling AS known
    WHERE known.profile_id = told.profile AND known.told_at = told.at AND known.traits = told.traits::jsonb
)
ORDER BY told.place
