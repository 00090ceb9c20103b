-- Which issues are merged and still open, and whose are they? The longest first.
SELECT
    step.issue_key,
    step.summary,
    step.status,
    coalesce(person.login, 'nobody on GitHub') AS assignee,
    date_diff('day', step.since, published_at) AS days_since_merge
FROM issues_out_of_step AS step
CROSS JOIN pipeline_status
LEFT JOIN people_accounts AS person ON person.account_id = step.assignee_id
WHERE step.kind = 'merged_and_open'
ORDER BY days_since_merge DESC, step.issue_key;
