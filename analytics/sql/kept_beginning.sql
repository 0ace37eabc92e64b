-- The first day with a purchase, and the first on which anybody entered the segment of active customers. One row: the two
-- days, NULL where there is none.
-- Parameters: version, inside (the segment's live version and its stage "in"; NULL: none).
-- Indexes: the primary keys, from their beginnings.
SELECT (SELECT min(day) FROM analytics_salesday WHERE NOT products_only AND orders + unpriced > 0),
       (SELECT min(day) FROM analytics_stageday
        WHERE version_id = %(version)s AND stage_id = %(inside)s AND entered > 0)
