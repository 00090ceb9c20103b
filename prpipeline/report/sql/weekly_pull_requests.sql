-- By the week in which it was opened: pull requests of people and their review times, as in review_time_weekly, and how
-- many bots opened.
SELECT
    team,
    repository_id,
    created_week AS week,
    count(*) FILTER (is_counted) AS opened,
    count(review_time_hours) FILTER (is_counted) AS reviewed,
    count(is_waiting) FILTER (is_counted) AS waiting,
    median(date_diff('second', created_at, first_review_at)) FILTER (is_counted) / 3600 AS median_hours,
    quantile_cont(date_diff('second', created_at, first_review_at), 0.9) FILTER (is_counted) / 3600 AS p90_hours,
    count(*) FILTER (NOT is_counted) AS opened_by_bots
FROM review_time_hours
LEFT JOIN (SELECT pull_request_id, true AS is_waiting FROM review_queue) USING (pull_request_id)
WHERE created_week BETWEEN $first_week AND $last_week
GROUP BY GROUPING SETS ((created_week), (team, created_week), (repository_id, created_week))
HAVING grouping(team) = 1 OR team IS NOT NULL
