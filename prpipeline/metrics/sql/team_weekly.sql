-- team_weekly: one row per team, what of a pull request is the team's (team_of), and ISO week (UTC) in which pull requests were opened.
--
--   repository      the pull requests of the repositories that are the team's now
--   author          those whose author was of the team when they opened it
--   first_reviewer  those whose first qualifying review is by somebody who was of the team then
-- Somebody who is of several teams counts for the one that is listed first, as in author_team of review_time_hours: within
-- one team_of no pull request counts twice. What is of no team is not in here. Sums over several team_of mean nothing.
-- Pull requests of people are counted, those of bots in n_bot_authors alone; a week with none of people has no row. With the
-- setting exclude_bots off bots are people, and n_bot_authors is 0.
-- {hours} stands for each of review_time_hours, pickup_time_hours, review_time_business_hours, cycle_time_hours and
-- time_to_merge_hours. Of each: how many are NULL, and the median, 75th and 90th percentile of the others: of unrounded
-- seconds, interpolated linearly between closest ranks, and rounded half up to 2 decimals. They must not be averaged.
-- NULL where all are.

CREATE TABLE IF NOT EXISTS metrics.team_weekly (
    team                              VARCHAR,
    team_of                           VARCHAR,
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
WITH of_authors AS (
    SELECT repository_id, pull_request_id, 'author' AS team_of, team
    FROM metrics.pull_request_times
    JOIN metrics.team_periods ON person_id = author_id AND started_at <= created_at AND ended_at > created_at
),
of_first_reviewers AS (
    SELECT times.repository_id, times.pull_request_id, 'first_reviewer' AS team_of, team
    FROM metrics.pull_request_times AS times
    JOIN raw.reviews AS review
        ON review.repository_id = times.repository_id AND review.review_id = times.first_review_id
    JOIN metrics.team_periods
        ON person_id = reviewer_id AND started_at <= submitted_at AND ended_at > submitted_at
),
of_people AS (
    FROM of_authors UNION ALL FROM of_first_reviewers
),
counted AS (
    SELECT times.*, 'repository' AS team_of, team
    FROM metrics.counted_times AS times
    JOIN metrics.repository_names USING (repository_id)
    WHERE team IS NOT NULL
    UNION ALL BY NAME
    SELECT times.*, team_of, team
    FROM metrics.counted_times AS times
    JOIN of_people USING (repository_id, pull_request_id)
),
not_counted AS (
    SELECT created_week, 'repository' AS team_of, team
    FROM metrics.pull_request_times
    JOIN metrics.repository_names USING (repository_id)
    WHERE NOT is_counted AND team IS NOT NULL
    UNION ALL BY NAME
    SELECT created_week, team_of, team
    FROM metrics.pull_request_times
    JOIN of_people USING (repository_id, pull_request_id)
    WHERE NOT is_counted
),
weeks AS (
    SELECT
        team,
        team_of,
        created_week AS week,
        count(*) AS n,
        count(DISTINCT repository_id) AS n_repositories,
        count(merged_at) AS n_merged,
        count(*) FILTER (merged_without_review) AS n_merged_without_review,
        count(*) FILTER (null_reason = 'before_reviews') AS n_null_before_reviews,
        count(*) - count({hours}) AS {hours}_nulls,
        quantile_cont({hours}, [0.5, 0.75, 0.9]) AS {hours}
    FROM counted
    GROUP BY team, team_of, created_week
),
of_bots AS (
    SELECT team, team_of, created_week AS week, count(*) AS n_bot_authors
    FROM not_counted
    GROUP BY team, team_of, created_week
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
LEFT JOIN of_bots USING (team, team_of, week)
ORDER BY team, team_of, week;
