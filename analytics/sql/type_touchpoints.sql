-- Some of the touchpoints of one type that arrived last, in no promised order. One row: touchpoint.
-- Parameters: type, since, until (received in [since, until]), most.
-- Index: touchpoint_received (BRIN): the range is a minute that is known to hold some.
SELECT id
FROM customers_touchpoint
WHERE received_at >= %(since)s AND received_at <= %(until)s AND type_id = %(type)s
LIMIT %(most)s
