-- error on metrics.team_weekly
-- The weeks of a team do not add up to those of its repositories: the aggregates were computed from other rows.
SELECT team, coalesce(rows.n, 0) AS in_repositories, coalesce(weeks.n, 0) AS in_weeks
FROM (
    SELECT team, sum(n)::BIGINT AS n FROM metrics.review_time_weekly WHERE team IS NOT NULL GROUP BY team
) AS rows
FULL JOIN (SELECT team, sum(n)::BIGINT AS n FROM metrics.team_weekly WHERE team_of = 'repository' GROUP BY team) AS weeks USING (team)
WHERE rows.n IS DISTINCT FROM weeks.n;
