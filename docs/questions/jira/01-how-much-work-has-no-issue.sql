-- How much work has no issue? People's pull requests opened in the last twelve weeks, by repository.
SELECT
    repository,
    sum(n) AS pull_requests,
    sum(n_without_issue) AS without_issue,
    round(100.0 * sum(n_without_issue) / nullif(sum(n), 0), 1) AS percent_without,
    round(100.0 * sum(merged_lines_without_issue) / nullif(sum(merged_lines), 0), 1) AS percent_of_merged_lines
FROM issue_links_weekly CROSS JOIN pipeline_status
WHERE week > published_at - INTERVAL 84 DAY
GROUP BY repository
ORDER BY percent_without DESC NULLS LAST, repository;
