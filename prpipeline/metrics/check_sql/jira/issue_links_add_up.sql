-- error on metrics.issue_links_weekly
-- The weeks do not count the pull requests that there are, or more of them without an issue than there are.
WITH weeks AS (
    SELECT repository_id, sum(n + n_bot_authors)::BIGINT AS in_weeks
    FROM metrics.issue_links_weekly
    GROUP BY repository_id
),
there AS (
    SELECT repository_id, count(*) AS pull_requests FROM metrics.pull_request_times GROUP BY repository_id
)
SELECT repository_id, in_weeks, pull_requests
FROM weeks
FULL JOIN there USING (repository_id)
WHERE in_weeks IS DISTINCT FROM pull_requests AND EXISTS (FROM meta.jira_projects WHERE is_tracked)
UNION ALL
SELECT repository_id, n, n_without_issue FROM metrics.issue_links_weekly WHERE n_without_issue > n OR n_unresolved > n;
