-- error on metrics.review_time_hours
-- A pull request has no row of times, or more than one, or a row stands for none.
SELECT
    coalesce(metric.repository_id, pull_request.repository_id) AS repository_id,
    coalesce(metric.number, pull_request.number) AS number,
    coalesce(metric.rows, 0) AS rows
FROM (
    SELECT pull_request_id, any_value(repository_id) AS repository_id, any_value(number) AS number,
        count(*) AS rows
    FROM metrics.pull_request_times
    GROUP BY pull_request_id
) AS metric
FULL JOIN raw.pull_requests AS pull_request USING (pull_request_id)
WHERE metric.rows IS DISTINCT FROM 1 OR pull_request.pull_request_id IS NULL;
