-- By the week in which it was opened: pull requests of people and their review times, and how many bots opened.
SELECT
    team,
    repository_id,
    created_week AS week,
    count(*) FILTER (NOT is_bot_author) AS opened,
    count(review_time_hours) FILTER (NOT is_bot_author) AS reviewed,
    count(is_waiting) FILTER (NOT is_bot_author) AS waiting,
    median(review_time_hours) FILTER (NOT is_bot_author) AS median_hours,
    quantile_cont(review_time_hours, 0.9) FILTER (NOT is_bot_author) AS p90_hours,
    count(*) FILTER (is_bot_author) AS opened_by_bots
FROM review_time_hours
LEFT JOIN (SELECT pull_request_id, true AS is_waiting FROM review_queue) USING (pull_request_id)
WHERE created_week BETWEEN $first_week AND $last_week
GROUP BY GROUPING SETS ((created_week), (team, created_week), (repository_id, created_week))
HAVING grouping(team) = 1 OR team IS NOT NULL
