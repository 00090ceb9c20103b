-- Do pull requests with an issue take longer than those without? People's, by the week of the merge, the last twelve weeks.
SELECT
    date_trunc('week', merged_at)::DATE AS week,
    count(*) AS merged,
    round(100.0 * count(*) FILTER (has_issue) / count(*), 1) AS percent_with_issue,
    round(avg(cycle_time_hours) FILTER (has_issue), 1) AS mean_hours_with_issue,
    round(avg(cycle_time_hours) FILTER (NOT has_issue), 1) AS mean_hours_without
FROM (SELECT *, pull_request_id IN (SELECT pull_request_id FROM pull_request_issues) AS has_issue FROM review_time_hours)
CROSS JOIN pipeline_status
WHERE is_counted AND merged_at > published_at - INTERVAL 84 DAY
GROUP BY week
ORDER BY week DESC;
