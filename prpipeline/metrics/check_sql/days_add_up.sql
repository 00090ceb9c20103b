-- error on metrics.open_daily
-- The last day of a repository does not show as many open pull requests as it has: the days were computed from other rows.
SELECT repository_id, coalesce(rows.open, 0) AS open, coalesce(days.open, 0) AS on_the_last_day
FROM (
    SELECT repository_id, count(*) FILTER (is_open) AS open FROM metrics.pull_request_times GROUP BY repository_id
) AS rows
FULL JOIN (
    SELECT repository_id, arg_max(open + bots_open, day) AS open FROM metrics.open_daily GROUP BY repository_id
) AS days USING (repository_id)
WHERE rows.open IS DISTINCT FROM days.open;
