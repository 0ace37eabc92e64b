-- The customers that are brought up to date apart from the others, or not at all: those with very many touchpoints, and
-- those parked with an error. One row: customer. Parameters: none.  Both tables are small.
SELECT customer_id FROM lifecycle_hotcustomer
UNION
SELECT customer_id FROM lifecycle_parked
