-- The transactions that may be about to write facts or history. One row: how many there are besides the asking session,
-- of how many the start is known, the earliest start.
-- Parameters: locks (advisory locks that such a transaction holds).  Reads the lock table and the activity of sessions.
SELECT count(*), count(activity.xact_start), min(activity.xact_start)
FROM pg_locks AS held
LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid
WHERE held.locktype = 'advisory' AND held.objid = 0 AND held.objsubid = 2 AND held.classid::bigint = ANY(%(locks)s)
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND held.pid <> pg_backend_pid()
