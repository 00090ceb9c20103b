-- error on metrics.review_time_survival
-- The months of a repository do not add up to its pull requests: the aggregates were computed from other rows.
FROM (
    SELECT repository_id, count(*) AS n, count(review_time_hours) AS reviewed
    FROM metrics.pull_request_times
    WHERE is_counted
    GROUP BY repository_id
) AS rows
FULL JOIN (
    SELECT repository_id, sum(n)::BIGINT AS n, sum(n_reviewed)::BIGINT AS reviewed
    FROM metrics.review_time_survival
    GROUP BY repository_id
) AS months USING (repository_id)
WHERE rows.n IS DISTINCT FROM months.n OR rows.reviewed IS DISTINCT FROM months.reviewed;
