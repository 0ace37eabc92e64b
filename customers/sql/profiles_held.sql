-- Lock some profiles in order of id, so that two who tell a trait of one take turns. One row: profile.
-- Parameters: profiles.  Index: the primary key.
SELECT id FROM customers_profile WHERE id = ANY(%(profiles)s::bigint[]) ORDER BY id FOR NO KEY UPDATE
