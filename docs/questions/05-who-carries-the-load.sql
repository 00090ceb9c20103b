-- Who carries the load of reviewing? The last twelve weeks, people only. Verdicts are approvals and requests for changes;
-- inline_only are comments that GitHub makes a review each.
SELECT
    reviewer_login,
    sum(verdicts) AS verdicts,
    round(100.0 * sum(verdicts) / nullif(sum(sum(verdicts)) OVER (), 0), 1) AS percent_of_verdicts,
    sum(reviews) AS reviews, sum(inline_only) AS inline_only,
    sum(approvals) AS approvals, sum(change_requests) AS change_requests
FROM reviewer_weekly CROSS JOIN pipeline_status
WHERE week > published_at - INTERVAL 84 DAY
GROUP BY reviewer_login HAVING sum(reviews) > 0
ORDER BY verdicts DESC, reviews DESC, reviewer_login;
