-- error on metrics.review_time_survival
-- The months of a repository do not add up to its pull requests: the aggregates are of another state than the rows.
SELECT repository_id, coalesce(rows.n, 0) AS pull_requests, coalesce(months.n, 0) AS in_months,
    coalesce(rows.n_null, 0) AS nulls, coalesce(months.n_null, 0) AS nulls_in_months
FROM (
    SELECT repository_id, count(*) AS n, count(*) - count(review_time_hours) AS n_null
    FROM metrics.pull_request_times
    GROUP BY repository_id
) AS rows
FULL JOIN (
    SELECT repository_id, sum(n)::BIGINT AS n, sum(n_null)::BIGINT AS n_null
    FROM metrics.review_time_survival
    GROUP BY repository_id
) AS months USING (repository_id)
WHERE rows.n IS DISTINCT FROM months.n OR rows.n_null IS DISTINCT FROM months.n_null;
