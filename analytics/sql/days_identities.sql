-- Identities between kept figures that do not hold. One row: identity, version, day, what is wrong.
-- open + entered - left: a day's stock is the day before's plus who entered minus who left; moves: what the moves between
-- stages say of a day is what its traffic says; windows: the two ends of each window that ends today add up to the
-- stocks then and now (so E = kept + new + reactivated and S = kept + lost).
-- buyers: a day's first-time payers are among its buyers, who are as many as its orders at most; activity: whoever was
-- active or ordered in a window that ends today was one of the two, and a longer window sees no fewer.
-- Parameters: none.  Reads all rows of the three tables and of the two of sales; the windows by their primary key.
WITH counting AS MATERIALIZED (
    SELECT version, last_day FROM analytics_counting WHERE statistic = 'stages' AND state = 'done'
), stock AS (
    SELECT stageday.version_id, stageday.stage_id, stageday.day, customers, entered, "left", counting.last_day,
           CASE WHEN lag(stageday.day) OVER spell = stageday.day - 1 THEN lag(customers) OVER spell ELSE 0 END AS opened,
           lead(stageday.day) OVER spell AS next_day
    FROM analytics_stageday AS stageday
    JOIN counting ON counting.version = stageday.version_id
    WINDOW spell AS (PARTITION BY stageday.version_id, stageday.stage_id ORDER BY stageday.day)
), traffic AS (
    SELECT version_id, day, stage_id, sum(entered) AS entered, sum(gone) AS gone
    FROM (
        SELECT version_id, day, to_stage AS stage_id, moves AS entered, 0 AS gone FROM analytics_stagemove
        UNION ALL
        SELECT version_id, day, from_stage, 0, moves FROM analytics_stagemove WHERE from_stage <> 0
        UNION ALL
        SELECT version_id, day, stage_id, -entered, -"left" FROM analytics_stageday
    ) AS told
    JOIN counting ON counting.version = told.version_id
    GROUP BY version_id, day, stage_id
), windows AS (
    SELECT version_id, length, from_stage, to_stage, sum(change) AS customers
    FROM analytics_stageshift
    JOIN counting ON counting.version = version_id
    WHERE until <= counting.last_day + 1
    GROUP BY version_id, length, from_stage, to_stage
), ends AS (
    SELECT told.version_id, told.length, told.stage_id, told.at_end, sum(told.customers) AS customers
    FROM (
        SELECT version_id, length, to_stage AS stage_id, true AS at_end, customers FROM windows
        UNION ALL
        SELECT version_id, length, from_stage, false, customers FROM windows
        UNION ALL
        SELECT counting.version, lengths.length, stage_id, ends.at_end, -customers
        FROM counting
        CROSS JOIN (SELECT DISTINCT length FROM windows) AS lengths
        CROSS JOIN (VALUES (true), (false)) AS ends (at_end)
        JOIN analytics_stageday AS stageday
            ON stageday.version_id = counting.version
            AND stageday.day = counting.last_day - CASE WHEN ends.at_end THEN 0 ELSE lengths.length END
    ) AS told
    WHERE told.stage_id <> 0
    GROUP BY told.version_id, told.length, told.stage_id, told.at_end
), seen AS (
    SELECT length, products_only, counting.last_day, sum(active) AS active, sum(buyers) AS buyers,
           sum(customers) AS customers
    FROM analytics_activity
    JOIN analytics_counting AS counting ON counting.statistic = 'sales' AND counting.state = 'done'
    WHERE until <= counting.last_day + 1
    GROUP BY length, products_only, counting.last_day
), longer AS (
    SELECT *, lag(customers, 1, 0::numeric) OVER (PARTITION BY products_only ORDER BY length) AS shorter FROM seen
)
SELECT 'open + entered - left', version_id, day,
       concat('stage ', stage_id, ': ', opened, ' + ', entered, ' - ', "left", ' is not ', customers)
FROM stock
WHERE opened + entered - "left" <> customers
UNION ALL
SELECT 'open + entered - left', version_id, day + 1, concat('stage ', stage_id, ': ', customers, ' are carried over to no next day')
FROM stock
WHERE customers <> 0 AND day < last_day AND next_day IS DISTINCT FROM day + 1
UNION ALL
SELECT 'moves', version_id, day, concat('stage ', stage_id, ': entered differ by ', entered, ', left by ', gone)
FROM traffic
WHERE entered <> 0 OR gone <> 0
UNION ALL
SELECT 'windows', ends.version_id, counting.last_day,
       concat('stage ', stage_id, ', ', CASE WHEN at_end THEN 'end' ELSE 'start' END, ' of ', length, ' days: differ by ', customers)
FROM ends
JOIN counting ON counting.version = ends.version_id
WHERE customers <> 0
UNION ALL
SELECT 'buyers', 0, day, concat(first_paying, ' paid first of ', buyers, ' buyers of ', orders, ' orders')
FROM analytics_salesday
WHERE first_paying < 0 OR first_paying > buyers OR buyers > orders OR (buyers = 0 AND orders > 0)
UNION ALL
SELECT 'activity', 0, last_day,
       concat(length, ' days: ', customers, ' of ', active, ' active and ', buyers, ' buyers, ', shorter, ' of fewer days')
FROM longer
WHERE customers > active + buyers OR customers < greatest(active, buyers, shorter)
ORDER BY 1, 2, 3
LIMIT 100
