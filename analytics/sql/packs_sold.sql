-- What customers bought and gave back, strung together by ranges of customers. One row: a range's customers, instants,
-- amounts, amounts without lines that are not products, and 1 for a purchase and 0 for a refund, each value as COPY sends
-- it; in order of customer and instant.
-- Parameters: none.  Index: the primary key.
SELECT customers, instants, amounts, products, purchases FROM analytics_soldpack ORDER BY part
