-- error on metrics.author_weekly
-- The authors' weeks of a repository do not add up to its pull requests: they are of another state than the rows.
SELECT repository_id, coalesce(rows.n, 0) AS pull_requests, coalesce(weeks.n, 0) AS in_weeks,
    coalesce(rows.n_null, 0) AS nulls, coalesce(weeks.n_null, 0) AS nulls_in_weeks
FROM (
    SELECT repository_id, count(*) AS n, count(*) - count(review_time_hours) AS n_null
    FROM metrics.pull_request_times
    GROUP BY repository_id
) AS rows
FULL JOIN (
    SELECT repository_id, sum(n)::BIGINT AS n, sum(n_null)::BIGINT AS n_null
    FROM metrics.author_weekly
    GROUP BY repository_id
) AS weeks USING (repository_id)
WHERE rows.n IS DISTINCT FROM weeks.n OR rows.n_null IS DISTINCT FROM weeks.n_null;
