-- error on metrics.review_time_hours
-- Rows were computed by other definitions than the present ones; a rebuild is due.
SELECT repository_id, metric_version, count(*) AS rows
FROM metrics.pull_request_times
WHERE metric_version IS DISTINCT FROM (SELECT metric_version FROM metrics.definitions)
GROUP BY repository_id, metric_version;
