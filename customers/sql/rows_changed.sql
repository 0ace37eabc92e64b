-- How many rows of some tables this session has inserted, updated and deleted so far, as PostgreSQL itself counts them.
-- Only the difference of two readings inside one transaction means anything. One row: the count.
-- Parameters: tables (names).
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint
FROM pg_stat_xact_user_tables
WHERE relname = ANY (%(tables)s::text[])
