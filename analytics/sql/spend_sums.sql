-- What was spent on channels in some windows of days. One row: number of the window (1-based), channel, all of it, the
-- variable spend on media alone (minor units), how many entries, and how many of them hang on one of some campaigns.
-- Parameters: starts, untils (parallel arrays of days, half-open), made_up (keys of campaigns).
-- Reads all spend: a row a day and channel.
SELECT asked.number, spend.channel_id::int, sum(spend.amount)::bigint,
       coalesce(sum(spend.amount) FILTER (WHERE spend.is_paid_media), 0)::bigint, count(*),
       count(*) FILTER (WHERE campaign.key = ANY(%(made_up)s::text[]))
FROM unnest(%(starts)s::date[], %(untils)s::date[]) WITH ORDINALITY AS asked (start, until, number)
JOIN campaigns_spend AS spend ON spend.day >= asked.start AND spend.day < asked.until
LEFT JOIN campaigns_campaign AS campaign ON campaign.id = spend.campaign_id
GROUP BY asked.number, spend.channel_id
