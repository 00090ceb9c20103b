-- warn on raw.jira_issues
-- The status of each issue that is there is among those that Jira lists. Of one that is not, the category is unknown.
SELECT issue_key, status_id, status
FROM raw.jira_issues
WHERE gone_at IS NULL AND status_id NOT IN (SELECT status_id FROM raw.jira_statuses)
ORDER BY issue_key;
