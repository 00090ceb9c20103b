-- compat_fivetran_jira: what Fivetran's dbt_jira says of how long issues are open, in jira__issue_enhanced.
--
-- From fivetran/dbt_jira at 6b7d3339 (2026-06-24), models: jira__issue_enhanced.sql, intermediate/int_jira__issue_assign_resolution.sql.
--
-- Seconds from created_at, from the first assignment, and from the last one, to resolved_at (Jira's resolutiondate); to the time of the
-- publication where there is none, as there to the time of the query. first_assigned_at and last_assigned_at are of changes that
-- name somebody. dbt_jira's history of a field also begins with what the issue was created with, which the changelog does not tell: an
-- issue that was created with an assignee who never changed is NULL here.

CREATE OR REPLACE VIEW compat_fivetran_jira AS
SELECT
    issue_id,
    issue_key,
    date_diff('second', issue.created_at, coalesce(resolved_at, published_at)) AS open_duration_seconds,
    date_diff('second', first_assigned_at, coalesce(resolved_at, published_at)) AS any_assignment_duration_seconds,
    date_diff('second', last_assigned_at, coalesce(resolved_at, published_at)) AS last_assignment_duration_seconds,
    first_assigned_at,
    last_assigned_at,
    first_resolved_at,
    issue.project_key
FROM issues AS issue
JOIN issue_times USING (issue_id, issue_key)
CROSS JOIN (SELECT max(published_at) AS published_at FROM pipeline_status)
WHERE NOT is_gone;
