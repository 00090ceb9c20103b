-- error on metrics.issues
-- An issue is missing from the tables of issues or of their times, or is in one of them twice.
WITH counted AS (
    SELECT issue_id, 1 AS read, 0 AS shown, 0 AS timed FROM raw.jira_issues
    UNION ALL
    SELECT issue_id, 0, 1, 0 FROM metrics.issues
    UNION ALL
    SELECT issue_id, 0, 0, 1 FROM metrics.issue_times
)
SELECT issue_id, sum(read) AS read, sum(shown) AS shown, sum(timed) AS timed
FROM counted
GROUP BY issue_id
HAVING sum(read) <> 1 OR sum(shown) <> 1 OR sum(timed) <> 1;
