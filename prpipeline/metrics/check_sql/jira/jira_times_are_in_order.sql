-- warn on raw.jira_issues
-- No issue was changed or resolved before it was created, and none in the future.
SELECT issue_key, created_at, updated_at, resolved_at
FROM raw.jira_issues
WHERE updated_at < created_at OR resolved_at < created_at OR updated_at > now()::TIMESTAMP + INTERVAL 1 HOUR
ORDER BY issue_key;
