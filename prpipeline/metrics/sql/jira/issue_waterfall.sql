-- issue_waterfall: one row per issue of Jira that is there and tracked, with the stages of its first pull request.
--
-- created, started (issues.started_at), then of the pull request its first commit, opening, first review, first approval and merge,
-- then done (issues.done_at). The pull request is the first opened of those that name the issue, are counted by aggregates (is_counted), and
-- were not closed without a merge; number is NULL where there is none. A moment that is not known is NULL, and so are hours of
-- which an end is not known, or comes before the beginning: work often begins before the issue says so.

CREATE OR REPLACE VIEW issue_waterfall AS
WITH named AS (
    SELECT DISTINCT issue_id, repository, repository_id, number, pull_request_id FROM pull_request_issues WHERE issue_id IS NOT NULL
),
counted AS (
    SELECT named.*, times.created_at AS opened_at, times.first_commit_at, times.first_review_at, times.first_approval_at,
        times.merged_at
    FROM named
    JOIN review_time_hours AS times
        ON times.repository_id = named.repository_id AND times.pull_request_id = named.pull_request_id
    WHERE is_counted AND (merged_at IS NOT NULL OR closed_at IS NULL)
),
firsts AS (
    SELECT *, count(*) OVER (PARTITION BY issue_id) AS pull_requests
    FROM counted
    QUALIFY row_number() OVER (PARTITION BY issue_id ORDER BY opened_at, pull_request_id) = 1
),
moments AS (
    SELECT
        issue.issue_id, issue_key, project_key, summary, issue_type, status, status_category,
        coalesce(pull_requests, 0) AS pull_requests, repository, number,
        issue.created_at, started_at, first_commit_at, opened_at, first_review_at, first_approval_at, merged_at, done_at,
        pull_request_id, repository_id
    FROM issues AS issue
    LEFT JOIN firsts USING (issue_id)
    WHERE is_tracked AND NOT is_gone
)
SELECT
    issue_id, issue_key, project_key, summary, issue_type, status, status_category, pull_requests, repository, number,
    created_at, started_at, first_commit_at, opened_at, first_review_at, first_approval_at, merged_at, done_at,
    CASE WHEN started_at >= created_at THEN round((epoch_ms(started_at) - epoch_ms(created_at)) / 3600000.0::DOUBLE, 2) END AS created_to_started_hours,
    CASE WHEN first_commit_at >= started_at THEN round((epoch_ms(first_commit_at) - epoch_ms(started_at)) / 3600000.0::DOUBLE, 2) END AS started_to_first_commit_hours,
    CASE WHEN opened_at >= first_commit_at THEN round((epoch_ms(opened_at) - epoch_ms(first_commit_at)) / 3600000.0::DOUBLE, 2) END AS first_commit_to_opened_hours,
    CASE WHEN opened_at >= started_at THEN round((epoch_ms(opened_at) - epoch_ms(started_at)) / 3600000.0::DOUBLE, 2) END AS started_to_opened_hours,
    CASE WHEN first_review_at >= opened_at THEN round((epoch_ms(first_review_at) - epoch_ms(opened_at)) / 3600000.0::DOUBLE, 2) END AS opened_to_first_review_hours,
    CASE WHEN first_approval_at >= first_review_at THEN round((epoch_ms(first_approval_at) - epoch_ms(first_review_at)) / 3600000.0::DOUBLE, 2) END AS first_review_to_approved_hours,
    CASE WHEN merged_at >= first_approval_at THEN round((epoch_ms(merged_at) - epoch_ms(first_approval_at)) / 3600000.0::DOUBLE, 2) END AS approved_to_merged_hours,
    CASE WHEN done_at >= merged_at THEN round((epoch_ms(done_at) - epoch_ms(merged_at)) / 3600000.0::DOUBLE, 2) END AS merged_to_done_hours,
    pull_request_id, repository_id
FROM moments;
