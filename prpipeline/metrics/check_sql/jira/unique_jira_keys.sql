-- error on raw.jira_issues
-- Each key leads to one issue, and the key that an issue has now leads to it.
SELECT issue_key, count(*) AS rows, any_value(issue_id) AS issue_id
FROM raw.jira_keys
GROUP BY issue_key
HAVING count(*) > 1
UNION ALL
SELECT issue_key, 0, issue_id
FROM raw.jira_issues
WHERE NOT EXISTS (
    FROM raw.jira_keys AS known
    WHERE known.issue_key = jira_issues.issue_key AND known.issue_id = jira_issues.issue_id AND known.is_current
)
ORDER BY issue_key;
