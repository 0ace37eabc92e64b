-- Forget the moves of some customers, and what was to be told of them. Parameters: version, customers.
-- Indexes: the primary keys of moves and announcements.
WITH forgotten AS (
    DELETE FROM lifecycle_move
    WHERE version_id = %(version)s AND customer_id = ANY(%(customers)s)
    RETURNING announcement
)
DELETE FROM lifecycle_announcement AS announcement USING forgotten WHERE announcement.id = forgotten.announcement
