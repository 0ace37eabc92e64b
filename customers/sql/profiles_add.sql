-- One customer for each new profile. One row: profile, customer.
-- Parameters: profiles, at.
WITH numbered AS MATERIALIZED (
    SELECT profile, nextval((SELECT pg_get_serial_sequence('customers_customer', 'id')::regclass)) AS customer
    FROM (SELECT profile FROM unnest(%(profiles)s::bigint[]) AS profile ORDER BY profile) AS ordered
), customer AS (
    INSERT INTO customers_customer (id, created_at, name, email, phone, search_text)
    SELECT customer, %(at)s, '', '', '', '' FROM numbered
), profile AS (
    INSERT INTO customers_profile (id, customer_id, created_at)
    SELECT profile, customer, %(at)s FROM numbered
)
SELECT profile, customer FROM numbered
