-- The first year in which working hours have to be known for issues.
SELECT min(year(created_at)) FROM raw.jira_issues;
