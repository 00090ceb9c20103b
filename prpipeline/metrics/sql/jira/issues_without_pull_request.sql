-- issues_without_pull_request: one row per issue of Jira that is there, is tracked, and is named by no pull request.
--
-- Whatever its type and status: an epic, or what nobody has begun, seldom has one.

CREATE OR REPLACE VIEW issues_without_pull_request AS
SELECT
    issue_id, issue_key, project_key, summary, issue_type, hierarchy_level, status, status_category, priority, assignee_id, epic_key,
    sprint, story_points, created_at, started_at, done_at, url
FROM issues
ANTI JOIN pull_request_issues USING (issue_id)
WHERE is_tracked AND NOT is_gone;
