-- Repositories whose pull requests are not all in an aggregate that counts each of them once: those that aggregates count
-- in n, of them those without a qualifying review in review_time_hours_nulls.
CREATE OR REPLACE MACRO metrics.differing_totals(aggregate) AS TABLE
SELECT repository_id, coalesce(rows.n, 0) AS pull_requests, coalesce(sums.n, 0) AS in_aggregate,
    coalesce(rows.nulls, 0) AS nulls, coalesce(sums.nulls, 0) AS nulls_in_aggregate
FROM (
    SELECT repository_id, count(*) AS n, count(*) - count(review_time_hours) AS nulls
    FROM metrics.pull_request_times
    WHERE is_counted
    GROUP BY repository_id
) AS rows
FULL JOIN (
    SELECT repository_id, sum(n)::BIGINT AS n, sum(nulls)::BIGINT AS nulls
    FROM (
        SELECT repository_id, n, review_time_hours_nulls AS nulls FROM query_table(aggregate)
    )
    GROUP BY repository_id
) AS sums USING (repository_id)
WHERE rows.n IS DISTINCT FROM sums.n OR rows.nulls IS DISTINCT FROM sums.nulls;
