-- issue_review_times: one row per property of issues (dimension) and value of it, with the review times of the pull requests that name such issues.
--
-- A pull request counts for its primary issue (is_primary), where that is known: so within one dimension none counts twice. dimension is
-- issue_type, priority, epic, sprint or points_class, as in issues; value is NULL for issues without one. Pull requests of people (is_counted),
-- whatever became of the issue. Median, 75th and 90th percentile are of unrounded seconds, interpolated linearly between closest ranks, and
-- rounded half up to 2 decimals; they must not be averaged.

CREATE OR REPLACE VIEW issue_review_times AS
WITH linked AS (
    SELECT
        issue.project_key, issue_type, priority, epic_key, sprint, points_class,
        date_diff('second', times.created_at, times.first_review_at) AS review_time,
        date_diff('second', times.created_at, times.merged_at) AS cycle_time,
        times.merged_at
    FROM pull_request_issues AS link
    JOIN issues AS issue USING (issue_id)
    JOIN review_time_hours AS times
        ON times.repository_id = link.repository_id AND times.pull_request_id = link.pull_request_id
    WHERE is_primary AND times.is_counted
),
valued AS (
    SELECT *, 'issue_type' AS dimension, issue_type AS value FROM linked
    UNION ALL
    SELECT *, 'priority', priority FROM linked
    UNION ALL
    SELECT *, 'epic', epic_key FROM linked
    UNION ALL
    SELECT *, 'sprint', sprint FROM linked
    UNION ALL
    SELECT *, 'points_class', points_class FROM linked
),
grouped AS (
    SELECT
        project_key, dimension, value,
        count(*) AS n,
        count(merged_at) AS n_merged,
        count(*) - count(review_time) AS review_time_hours_nulls,
        quantile_cont(review_time, [0.5, 0.75, 0.9]) AS review_time,
        quantile_cont(cycle_time, [0.5, 0.75, 0.9]) AS cycle_time
    FROM valued
    GROUP BY ALL
)
SELECT
    project_key, dimension, value, n, n_merged, review_time_hours_nulls,
    floor(review_time[1] / 36.0::DOUBLE + 0.5 + 1e-6) / 100.0::DOUBLE AS review_time_hours_median,
    floor(review_time[2] / 36.0::DOUBLE + 0.5 + 1e-6) / 100.0::DOUBLE AS review_time_hours_p75,
    floor(review_time[3] / 36.0::DOUBLE + 0.5 + 1e-6) / 100.0::DOUBLE AS review_time_hours_p90,
    floor(cycle_time[1] / 36.0::DOUBLE + 0.5 + 1e-6) / 100.0::DOUBLE AS cycle_time_hours_median
FROM grouped;
