-- Who carries the load of reviewing? The last twelve weeks.
SELECT
    reviewer_login,
    sum(reviews) AS reviews,
    round(100.0 * sum(reviews) / sum(sum(reviews)) OVER (), 1) AS percent_of_reviews,
    sum(approvals) AS approvals,
    sum(change_requests) AS change_requests
FROM reviewer_weekly CROSS JOIN pipeline_status
WHERE week > published_at - INTERVAL 84 DAY
GROUP BY reviewer_login
HAVING sum(reviews) > 0
ORDER BY reviews DESC, reviewer_login;
