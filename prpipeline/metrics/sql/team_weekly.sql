-- team_weekly: one row per team and ISO week (UTC) in which pull requests were opened in the team's repositories.
--
-- The team is the one that the repositories file gives a repository; repositories without one are not in here.
-- Every pull request of the week counts, also bots' (n_bot_authors says how many).
-- {hours} stands for each of review_time_hours, pickup_time_hours, review_time_business_hours, cycle_time_hours and
-- time_to_merge_hours. Of each: how many are NULL, and the median, 75th and 90th percentile of the others,
-- interpolated. NULL where all are.

CREATE TABLE IF NOT EXISTS metrics.team_weekly (
    team                              VARCHAR,
    week                              DATE,
    n                                 BIGINT,
    n_repositories                    BIGINT,
    n_bot_authors                     BIGINT,
    n_merged                          BIGINT,
    n_merged_without_review           BIGINT,
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
        count(*) FILTER (is_bot_author) AS n_bot_authors,
        count(merged_at) AS n_merged,
        count(*) FILTER (merged_without_review) AS n_merged_without_review,
        count(*) - count({hours}) AS {hours}_nulls,
        quantile_cont({hours}, [0.5, 0.75, 0.9]) AS {hours}
    FROM metrics.pull_request_times
    JOIN metrics.repository_names USING (repository_id)
    WHERE team IS NOT NULL
    GROUP BY team, created_week
)
SELECT
    * EXCLUDE (
        {hours}
    ),
    round({hours}[1], 2) AS {hours}_median,
    round({hours}[2], 2) AS {hours}_p75,
    round({hours}[3], 2) AS {hours}_p90
FROM weeks
ORDER BY team, week;
