-- Which tickets have which pull requests? Needs metrics: ticket_prefixes in repositories.yaml.
SELECT
    key,
    count(DISTINCT pull_request_id) AS pull_requests,
    string_agg(DISTINCT k.repository || '#' || k.number, ', ') AS which,
    round(sum(cycle_time_hours), 1) AS cycle_hours
FROM pull_request_keys AS k JOIN review_time_hours AS r USING (repository_id, pull_request_id)
WHERE is_primary
GROUP BY key
ORDER BY key;
