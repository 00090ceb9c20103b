-- error on raw.jira_issues
-- Each issue is there once, by its number.
SELECT issue_id, count(*) AS rows, any_value(issue_key) AS issue_key
FROM raw.jira_issues
GROUP BY issue_id
HAVING count(*) > 1
ORDER BY issue_id;
