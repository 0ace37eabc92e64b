-- The types of which any source has ever sent a touchpoint. One row: type.
-- No parameters.  Index: touchpoint_replay, whole and index-only; its caller keeps the answer for a while.
SELECT DISTINCT type_id FROM customers_touchpoint
