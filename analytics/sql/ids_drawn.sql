-- Numbers for new rows of a table, from its own sequence. One row per number.
-- Parameters: table, count.  Index: none.
WITH own AS MATERIALIZED (
    SELECT pg_get_serial_sequence(%(table)s, 'id')::regclass AS sequence  -- looked up once, not for each number
)
SELECT nextval(own.sequence)
FROM own, generate_series(1, %(count)s)
