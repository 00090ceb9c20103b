-- error on metrics.review_queue
-- A pull request of a tracked repository waits and is not in the queue once, or one is in it that does not.
SELECT coalesce(waiting.repository_id, queue.repository_id) AS repository_id,
    coalesce(waiting.number, queue.number) AS number, waiting.waiting_hours, coalesce(queue.rows, 0) AS in_queue
FROM (
    SELECT pull_request_id, repository_id, number, waiting_hours
    FROM metrics.pull_request_times
    SEMI JOIN (FROM metrics.repository_clocks WHERE is_tracked) USING (repository_id)
    WHERE waiting_hours IS NOT NULL
) AS waiting
FULL JOIN (
    SELECT pull_request_id, any_value(repository_id) AS repository_id, any_value(number) AS number, count(*) AS rows
    FROM metrics.review_queue
    GROUP BY pull_request_id
) AS queue USING (pull_request_id)
WHERE waiting.pull_request_id IS NULL OR queue.rows IS DISTINCT FROM 1;
