-- compat_devlake_issues: what Apache DevLake's table issues says of the time and status of issues of Jira.
--
-- From apache/incubator-devlake at 420e494b (2026-05-05), backend/plugins/jira/tasks: issue_extractor.go, shared.go.
--
-- lead_time_minutes is resolved_at (Jira's resolutiondate) - created_at in whole seconds, divided by 60 and cut, reopened or not; NULL without a
-- resolution, whatever the status. (Below 0 DevLake's unsigned number would wrap around; here it is NULL.) status is DONE for the category done,
-- TODO for new, IN_PROGRESS for every other. DevLake collects the issues of a board, and lets settings map statuses by issue type;
-- this has all issues of the selected projects, and no such mapping.

CREATE OR REPLACE VIEW compat_devlake_issues AS
SELECT
    issue_id,
    issue_key,
    CASE WHEN resolved_at >= created_at
        THEN (floor(epoch(resolved_at)) - floor(epoch(created_at)))::BIGINT // 60 END AS lead_time_minutes,
    CASE WHEN status_category = 'done' THEN 'DONE' WHEN status_category = 'new' THEN 'TODO' ELSE 'IN_PROGRESS' END AS status,
    project_key
FROM issues
WHERE NOT is_gone;
