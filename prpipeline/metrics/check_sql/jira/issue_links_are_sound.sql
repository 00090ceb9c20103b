-- error on metrics.pull_request_issues
-- A key of an issue is listed twice for one text, leads to an issue that is not there, or a pull request has not one primary key.
SELECT repository_id, number, issue_key, issue_id, source
FROM metrics.pull_request_issues AS link
LEFT JOIN (SELECT DISTINCT issue_id, true AS is_there FROM metrics.issues) USING (issue_id)
QUALIFY count(*) OVER (PARTITION BY repository_id, pull_request_id, issue_key, source) > 1
    OR count(*) FILTER (is_primary) OVER (PARTITION BY repository_id, pull_request_id) <> 1
    OR (link.issue_id IS NOT NULL AND is_there IS NULL);
