-- error on raw.jira_issues
-- Each entry of an issue's changelog is there once, and its issue is there.
SELECT issue_id, change_key, count(*) AS rows
FROM raw.jira_changes
GROUP BY issue_id, change_key
HAVING count(*) > 1 OR issue_id NOT IN (SELECT issue_id FROM raw.jira_issues)
ORDER BY issue_id, change_key;
