-- By weekday (0 is Monday) and hour in a time zone, over the last 52 weeks: pull requests that people opened, how long
-- they waited for review, and the qualifying reviews of them.
WITH clock AS (SELECT unnest($since) AS since, unnest($ahead) AS ahead),
moments AS (
    SELECT team, repository_id, created_at AS moment, date_diff('second', created_at, first_review_at) AS review_seconds, true AS is_opening
    FROM review_time_hours
    WHERE created_at > $as_of - INTERVAL 364 DAY AND is_counted
    UNION ALL
    SELECT review_evidence.team, repository_id, submitted_at, NULL, false
    FROM review_evidence JOIN review_time_hours USING (repository_id, pull_request_id)
    WHERE submitted_at > $as_of - INTERVAL 364 DAY AND is_qualifying AND is_counted
),
shown AS (SELECT *, moment + ahead AS local_time FROM moments ASOF JOIN clock ON moment >= since),
slotted AS (SELECT *, (isodow(local_time) - 1) * 24 + hour(local_time) AS slot FROM shown)
SELECT
    team, repository_id, slot,
    count(*) FILTER (is_opening) AS opened,
    median(review_seconds) / 3600 AS median_hours,
    count(*) FILTER (NOT is_opening) AS reviews
FROM slotted
GROUP BY GROUPING SETS ((slot), (team, slot), (repository_id, slot))
HAVING grouping(team) = 1 OR team IS NOT NULL
