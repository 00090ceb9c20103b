-- The pull requests that people opened (is_counted) in the last twelve weeks: how long each waited for its first
-- review, or why it has none. Unreviewed ones of repositories that are no longer tracked are left out: their state is unknown.
SELECT
    team,
    repository_id,
    count(*) FILTER (review_time_hours < 1) AS hour_1,
    count(*) FILTER (review_time_hours >= 1 AND review_time_hours < 4) AS hours_4,
    count(*) FILTER (review_time_hours >= 4 AND review_time_hours < 8) AS hours_8,
    count(*) FILTER (review_time_hours >= 8 AND review_time_hours < 24) AS day_1,
    count(*) FILTER (review_time_hours >= 24 AND review_time_hours < 48) AS days_2,
    count(*) FILTER (review_time_hours >= 48 AND review_time_hours < 96) AS days_4,
    count(*) FILTER (review_time_hours >= 96 AND review_time_hours < 168) AS week_1,
    count(*) FILTER (review_time_hours >= 168 AND review_time_hours < 336) AS weeks_2,
    count(*) FILTER (review_time_hours >= 336) AS longer,
    count(is_waiting) AS waiting,
    count(*) FILTER (review_time_hours IS NULL AND state <> 'open') AS ended_unreviewed,
    count(*) FILTER (review_time_hours IS NULL AND state = 'open' AND waiting_hours IS NULL) AS in_draft,
    median(date_diff('second', created_at, first_review_at)) / 3600 AS median_hours,
    quantile_cont(date_diff('second', created_at, first_review_at), 0.9) / 3600 AS p90_hours
FROM review_time_hours
LEFT JOIN (SELECT pull_request_id, true AS is_waiting FROM review_queue) USING (pull_request_id)
WHERE created_at > $as_of - INTERVAL 84 DAY AND is_counted
    AND (is_waiting OR waiting_hours IS NULL)
GROUP BY GROUPING SETS ((), (team), (repository_id))
HAVING grouping(team) = 1 OR team IS NOT NULL
