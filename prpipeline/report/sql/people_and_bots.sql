-- The pull requests of the last twelve weeks, by people and by bots.
SELECT
    team,
    repository_id,
    NOT is_counted AS is_bot,
    count(*) AS opened,
    count(review_time_hours) AS reviewed,
    median(date_diff('second', created_at, first_review_at)) / 3600 AS median_hours,
    quantile_cont(date_diff('second', created_at, first_review_at), 0.9) / 3600 AS p90_hours,
    count(*) FILTER (state = 'merged') AS merged,
    count(*) FILTER (merged_without_review) AS merged_unreviewed,
    count(is_waiting) AS waiting,
    count(first_bot_review_at) AS reviewed_by_bots,
    median(date_diff('second', created_at, first_bot_review_at) / 3600) AS bot_median_hours
FROM review_time_hours
LEFT JOIN (SELECT pull_request_id, true AS is_waiting FROM review_queue) USING (pull_request_id)
WHERE created_at > $as_of - INTERVAL 84 DAY
GROUP BY GROUPING SETS ((is_counted), (team, is_counted), (repository_id, is_counted))
HAVING grouping(team) = 1 OR team IS NOT NULL
