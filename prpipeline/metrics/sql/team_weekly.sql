-- team_weekly: one row per team and ISO week (UTC) in which pull requests were opened in the team's repositories.
--
-- The team is the one that the repositories file gives a repository; repositories without one are not in here.
-- Pull requests of people are counted, those of bots in n_bot_authors alone; a week with none of people has no row. With the
-- setting exclude_bots off bots are people, and n_bot_authors is 0.
-- {hours} stands for each of review_time_hours, pickup_time_hours, review_time_business_hours, cycle_time_hours and
-- time_to_merge_hours. Of each: how many are NULL, and the median, 75th and 90th percentile of the others: of unrounded
-- seconds, interpolated linearly between closest ranks, and rounded half up to 2 decimals. They must not be averaged.
-- NULL where all are.

CREATE TABLE IF NOT EXISTS metrics.team_weekly (
    team                              VARCHAR,
    week                              DATE,
    n                                 BIGINT,
    n_repositories                    BIGINT,
    n_bot_authors                     BIGINT,
    n_merged                          BIGINT,
    n_merged_without_review           BIGINT,
    n_null_before_reviews             BIGINT,
    {hours}_nulls  BIGINT,
    {hours}_median DOUBLE,
    {hours}_p75    DOUBLE,
    {hours}_p90    DOUBLE
);

DELETE FROM metrics.team_weekly;

INSERT INTO metrics.team_weekly BY NAME
WITH weeks AS (
    SELECT
        team,
        created_week AS week,
        count(*) AS n,
        count(DISTINCT repository_id) AS n_repositories,
        count(merged_at) AS n_merged,
        count(*) FILTER (merged_without_review) AS n_merged_without_review,
        count(*) FILTER (null_reason = 'before_reviews') AS n_null_before_reviews,
        count(*) - count({hours}) AS {hours}_nulls,
        quantile_cont({hours}, [0.5, 0.75, 0.9]) AS {hours}
    FROM metrics.counted_times
    JOIN metrics.repository_names USING (repository_id)
    WHERE team IS NOT NULL
    GROUP BY team, created_week
),
of_bots AS (
    SELECT team, created_week AS week, count(*) AS n_bot_authors
    FROM metrics.pull_request_times
    JOIN metrics.repository_names USING (repository_id)
    WHERE NOT is_counted
    GROUP BY team, created_week
)
SELECT
    weeks.* EXCLUDE (
        {hours}
    ),
    coalesce(n_bot_authors, 0) AS n_bot_authors,
    metrics.rounded_hours({hours}[1]) AS {hours}_median,
    metrics.rounded_hours({hours}[2]) AS {hours}_p75,
    metrics.rounded_hours({hours}[3]) AS {hours}_p90
FROM weeks
LEFT JOIN of_bots USING (team, week)
ORDER BY team, week;
