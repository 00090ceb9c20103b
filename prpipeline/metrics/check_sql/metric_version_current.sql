-- error on metrics.review_time_hours
-- Rows were computed by other definitions than this version's; a rebuild is due.
SELECT repository_id, metric_version, count(*) AS rows
FROM metrics.review_time_hours
WHERE metric_version IS DISTINCT FROM {metric_version}
GROUP BY repository_id, metric_version;
