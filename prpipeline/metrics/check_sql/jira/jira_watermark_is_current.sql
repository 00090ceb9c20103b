-- warn on raw.jira_issues
-- Everything that changed up to $hours hours ago (two periods of the schedule) is here, of every selected project. One whose
-- syncs have failed that long counts too, until it is deselected.
SELECT coalesce(project_key, entry) AS project, status, watermark_at, last_error
FROM meta.jira_projects
WHERE is_tracked AND coalesce(watermark_at, changed_at) < now()::TIMESTAMP - to_hours($hours)
ORDER BY watermark_at NULLS FIRST;
