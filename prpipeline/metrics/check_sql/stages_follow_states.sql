-- error on metrics.pull_request_stages
-- An open pull request is in no stage now, or in several; or a closed one is in one, or a stage has a time below zero.
SELECT coalesce(times.repository_id, stages.repository_id) AS repository_id,
    coalesce(times.number, stages.number) AS number, coalesce(stages.running, 0) AS running, stages.least_hours
FROM (SELECT repository_id, pull_request_id, number FROM metrics.pull_request_times WHERE is_open) AS times
FULL JOIN (
    SELECT pull_request_id, any_value(repository_id) AS repository_id, any_value(number) AS number,
        count(*) AS running, min(hours) AS least_hours
    FROM metrics.pull_request_stages
    WHERE ended_at IS NULL OR hours < 0
    GROUP BY pull_request_id
) AS stages USING (pull_request_id)
WHERE times.pull_request_id IS NULL OR stages.running IS DISTINCT FROM 1 OR stages.least_hours < 0;
