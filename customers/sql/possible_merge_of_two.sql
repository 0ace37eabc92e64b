-- By which pair of profiles people are asked, or have decided, about two customers: the first if there are several. One
-- row: profile, other; none if nobody was asked.
-- Parameters: one, other (customers).
-- Index: customers_profile_customer_id, possible_merge_is_told_once.
WITH pair AS MATERIALIZED (
    SELECT possible.id, possible.profile_id, possible.other_id
    FROM customers_profile AS low
    JOIN customers_possiblemerge AS possible ON possible.profile_id = low.id
    JOIN customers_profile AS high ON high.id = possible.other_id AND high.customer_id = %(other)s::bigint
    WHERE low.customer_id = %(one)s::bigint
    UNION ALL
    SELECT possible.id, possible.profile_id, possible.other_id
    FROM customers_profile AS low
    JOIN customers_possiblemerge AS possible ON possible.profile_id = low.id
    JOIN customers_profile AS high ON high.id = possible.other_id AND high.customer_id = %(one)s::bigint
    WHERE low.customer_id = %(other)s::bigint
)
SELECT profile_id, other_id FROM pair ORDER BY id LIMIT 1
