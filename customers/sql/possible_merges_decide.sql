-- Decide every open pair of the profiles of two customers. One row per pair.
-- Parameters: one, other (customers), decision, author, merge (ids or NULL), at.
-- Index: customers_profile_customer_id, possible_merge_is_told_once, possible_merge_of_other.
WITH pair AS MATERIALIZED (
    SELECT possible.id
    FROM customers_profile AS mine
    JOIN customers_possiblemerge AS possible ON possible.profile_id = mine.id
    JOIN customers_profile AS theirs ON theirs.id = possible.other_id AND theirs.customer_id = %(other)s::bigint
    WHERE mine.customer_id = %(one)s::bigint AND possible.decided_at IS NULL
    UNION
    SELECT possible.id
    FROM customers_profile AS mine
    JOIN customers_possiblemerge AS possible ON possible.other_id = mine.id
    JOIN customers_profile AS theirs ON theirs.id = possible.profile_id AND theirs.customer_id = %(other)s::bigint
    WHERE mine.customer_id = %(one)s::bigint AND possible.decided_at IS NULL
)
UPDATE customers_possiblemerge AS possible
SET decided_at = %(at)s::timestamptz, decision = %(decision)s::text, author_id = %(author)s::bigint,
    merge_id = %(merge)s::bigint
FROM pair
WHERE possible.id = pair.id AND possible.decided_at IS NULL
RETURNING possible.id
