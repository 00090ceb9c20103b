-- Repositories whose pull requests are not all in an aggregate that counts each of them once, in n and n_null.
CREATE OR REPLACE MACRO metrics.not_adding_up(aggregate) AS TABLE
SELECT repository_id, coalesce(rows.n, 0) AS pull_requests, coalesce(sums.n, 0) AS in_aggregate,
    coalesce(rows.n_null, 0) AS nulls, coalesce(sums.n_null, 0) AS nulls_in_aggregate
FROM (
    SELECT repository_id, count(*) AS n, count(*) - count(review_time_hours) AS n_null
    FROM metrics.pull_request_times
    GROUP BY repository_id
) AS rows
FULL JOIN (
    SELECT repository_id, sum(n)::BIGINT AS n, sum(n_null)::BIGINT AS n_null
    FROM query_table(aggregate)
    GROUP BY repository_id
) AS sums USING (repository_id)
WHERE rows.n IS DISTINCT FROM sums.n OR rows.n_null IS DISTINCT FROM sums.n_null;
