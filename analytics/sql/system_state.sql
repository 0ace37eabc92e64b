-- How the installation is doing. One row. Counts of the two large tables are the planner's estimates once they are large.
-- Customers are those that pages show: the absorbed ones stand for nobody.
-- No parameters. Indexes: due_next, announcement_unsequenced; Stale is counted whole, it is short when all is well.
SELECT clock_timestamp() AS now,
       split_part(version(), ' on ', 1) AS database,
       CASE WHEN customer.reltuples > 1000000 THEN customer.reltuples::bigint
            ELSE (SELECT count(*) FROM customers_customer WHERE merged_into_id IS NULL) END AS customers,
       CASE WHEN touchpoint.reltuples > 1000000 THEN touchpoint.reltuples::bigint
            ELSE (SELECT count(*) FROM customers_touchpoint) END AS touchpoints,
       pg_database_size(current_database()) AS database_bytes,
       (SELECT count(*) FROM customers_stale) AS stale_rows,
       (SELECT count(*) FROM lifecycle_due WHERE due_at <= clock_timestamp()) AS overdue,
       (SELECT count(*) FROM lifecycle_announcement WHERE sequence IS NULL) AS unsequenced,
       (SELECT extract(epoch FROM clock_timestamp() - at) FROM lifecycle_pulse WHERE part = 'tick') AS tick_silence,
       (SELECT extract(epoch FROM clock_timestamp() - at) FROM lifecycle_pulse WHERE part = 'worker') AS worker_silence,
       touchpoint.relallvisible::float / nullif(touchpoint.relpages, 0) AS all_visible
FROM pg_class AS customer, pg_class AS touchpoint
WHERE customer.oid = 'customers_customer'::regclass AND touchpoint.oid = 'customers_touchpoint'::regclass
