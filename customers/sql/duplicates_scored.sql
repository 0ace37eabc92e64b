-- How alike the customers of some pairs are, and how likely one person; see customers/duplicates.py for the weights. One
-- row per pair that is likely enough: one, other, and in percent the likelihood, and of name, e-mail and phone how alike
-- (0: nothing to compare).
-- Parameters: customers, names, locals (parallel arrays of texts), ones, others (the pairs), email_alike (how alike
-- their addresses are at least, by the keys they share), same_phone (whether they share a number; parallel arrays),
-- likely (percent).
WITH known AS MATERIALIZED (
    SELECT customer, name, local, regexp_replace(local, '[^0-9]', '', 'g') AS digits
    FROM unnest(%(customers)s::bigint[], %(names)s::text[], %(locals)s::text[]) AS t (customer, name, local)
), alike AS (
    SELECT asked.one, asked.other, asked.phone,
           CASE WHEN mine.name <> '' AND theirs.name <> '' THEN similarity(mine.name, theirs.name) END AS name,
           greatest(
               asked.email,
               CASE WHEN mine.local = '' OR theirs.local = '' OR mine.digits <> theirs.digits THEN 0
                    ELSE similarity(mine.local, theirs.local) END
           ) AS email
    FROM unnest(
             %(ones)s::bigint[], %(others)s::bigint[], %(email_alike)s::float[], %(same_phone)s::boolean[]
         ) AS asked (one, other, email, phone)
    JOIN known AS mine ON mine.customer = asked.one
    JOIN known AS theirs ON theirs.customer = asked.other
), scored AS (
    SELECT alike.*,
           100 * (1 - (1 - 0.75 * greatest(0, (email - 0.6) / 0.4)) * (CASE WHEN phone THEN 0.3 ELSE 1 END)
                      * (1 - 0.6 * greatest(0, (coalesce(name, 0) - 0.5) / 0.5)))
               * (CASE WHEN name < 0.2 THEN 0.5 ELSE 1 END) AS score
    FROM alike
)
SELECT one, other, round(score)::int, coalesce(round(100 * name), 0)::int, round(100 * email)::int,
       CASE WHEN phone THEN 100 ELSE 0 END
FROM scored
WHERE score >= %(likely)s
ORDER BY one, other
