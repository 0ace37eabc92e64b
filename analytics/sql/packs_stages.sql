-- The believed transitions of a version, strung together by ranges of customers. One row: a range's customers,
-- instants and stages, each value as COPY sends it; in order of customer and instant.
-- Parameters: version.  Index: the primary key.
SELECT customers, instants, stages FROM analytics_stagepack WHERE version_id = %(version)s ORDER BY part
