-- Number committed announcements without a place, oldest first. Parameters: limit.  Index: announcement_unsequenced.
WITH waiting AS (
    SELECT id FROM lifecycle_announcement WHERE sequence IS NULL ORDER BY id LIMIT %(limit)s
), placed AS MATERIALIZED (
    SELECT id, nextval('lifecycle_announcement_order') AS place
    FROM (SELECT id FROM waiting ORDER BY id) AS ordered
)
UPDATE lifecycle_announcement AS announcement
SET sequence = placed.place
FROM placed
WHERE announcement.id = placed.id
