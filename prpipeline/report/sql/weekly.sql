-- By the week in which they were opened, as in review_time_weekly: the weeks before the pull requests that are in the page
-- one by one. Percentiles are of seconds.
SELECT
    team,
    repository_id,
    created_week AS week,
    count(*) AS opened,
    count(review_time_hours) AS reviewed,
    median(date_diff('second', created_at, first_review_at)) AS median,
    quantile_cont(date_diff('second', created_at, first_review_at), 0.9) AS p90
FROM review_time_hours
WHERE is_counted AND created_week BETWEEN $first_week AND $last_week
GROUP BY GROUPING SETS ((created_week), (team, created_week), (repository_id, created_week))
HAVING grouping(team) = 1 OR team IS NOT NULL
ORDER BY team, repository_id, week
