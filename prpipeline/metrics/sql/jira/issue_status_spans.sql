-- issue_status_spans: one row per time that an issue spent in a status.
--
-- From when it came into the status (or was created in it) until it left it; ended_at is NULL for the one that it is in. Times of no length
-- are left out. Names and categories are those of today, see issue_states. Where the changelog has a gap, so that it is not known when
-- the issue left a status, that time is left out, too.
CREATE OR REPLACE VIEW metrics.issue_status_spans AS
SELECT
    issue_id, issue_key, state.status, state.status_category, started_at, ended_at,
    metrics.hours_of_milliseconds(metrics.milliseconds_between(started_at, ended_at)) AS hours,
    project_id, state.status_id
FROM metrics.issue_states AS state
JOIN raw.jira_issues AS issue USING (issue_id)
WHERE started_at IS NOT NULL AND (is_last OR ended_at > started_at);
