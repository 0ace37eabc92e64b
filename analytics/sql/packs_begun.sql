-- When customers were touched first and signed up, strung together by ranges of customers. One row: a range's customers,
-- first instants and instants of signing up (infinity: never), each value as COPY sends it.
-- Parameters: none.  Index: the primary key.
SELECT customers, touches, signups FROM analytics_begunpack ORDER BY part
