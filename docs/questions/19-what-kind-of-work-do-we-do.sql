-- What kind of work do we do, and what does each kind take? People's pull requests opened in the last twelve weeks, by label: one
-- with several is in several rows, and those without any are in the row of NULL.
SELECT
    label,
    count(*) AS n,
    count(merged_at) AS merged,
    round(median(review_time_hours), 1) AS median_review_hours,
    round(median(cycle_time_hours), 1) AS median_cycle_hours,
    round(avg(comments), 1) AS mean_comments
FROM review_time_hours LEFT JOIN pull_request_labels USING (repository_id, pull_request_id)
WHERE is_counted AND created_at > (SELECT as_of FROM pipeline_status) - INTERVAL 12 WEEK
GROUP BY label ORDER BY n DESC, label;
