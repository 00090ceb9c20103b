-- issues_out_of_step: one row per issue of Jira and way in which it and its pull requests do not fit.
--
--   merged_and_open    it is not done, while every pull request that names it is merged or closed, and at least one is merged
--   done_before_merge  it was done before the last of them was merged
--   done_and_open      it is done, and one of them is still open
-- Pull requests of people (is_counted), those of bots with exclude_bots off. since is the merge after which nothing was open, or when the
-- issue was done. Issues that are gone or not tracked are not in here, nor epics, whose pull requests belong to their issues.

CREATE OR REPLACE VIEW issues_out_of_step AS
WITH named AS (
    SELECT DISTINCT issue_id, repository_id, pull_request_id FROM pull_request_issues WHERE issue_id IS NOT NULL
),
summed AS (
    SELECT
        issue_id,
        count(*) AS pull_requests,
        count(*) FILTER (merged_at IS NULL AND closed_at IS NULL) AS open_pull_requests,
        max(merged_at) AS last_merged_at
    FROM named
    JOIN review_time_hours AS times
        ON times.repository_id = named.repository_id AND times.pull_request_id = named.pull_request_id
    WHERE is_counted
    GROUP BY issue_id
),
paired AS (
    FROM issues
    JOIN summed USING (issue_id)
    WHERE is_tracked AND NOT is_gone AND coalesce(hierarchy_level, 0) < 1
),
kinds AS (
    SELECT *, 'merged_and_open' AS kind, last_merged_at AS since
    FROM paired
    WHERE status_category IN ('new', 'indeterminate') AND last_merged_at IS NOT NULL AND open_pull_requests = 0
    UNION ALL
    SELECT *, 'done_before_merge', done_at FROM paired WHERE done_at < last_merged_at
    UNION ALL
    SELECT *, 'done_and_open', done_at FROM paired WHERE status_category = 'done' AND open_pull_requests > 0
)
SELECT
    issue_id, issue_key, project_key, kind, summary, issue_type, status, status_category, assignee_id, pull_requests,
    open_pull_requests, last_merged_at, done_at, since, url
FROM kinds;
