-- team_weekly: one row per team and ISO week (UTC) in which pull requests were opened in the team's repositories.
--
-- The team is the one that the repositories file gives a repository; repositories without one are not in here.
-- Every pull request of the week counts, also bots' (n_bot_authors says how many). For each column of hours: how many
-- are NULL, and the median, 75th and 90th percentile of the others, interpolated. NULL where all are.

CREATE TABLE IF NOT EXISTS metrics.team_weekly (
    team                              VARCHAR,
    week                              DATE,
    n                                 BIGINT,
    n_repositories                    BIGINT,
    n_bot_authors                     BIGINT,
    n_merged                          BIGINT,
    n_merged_without_review           BIGINT,
    n_null                            BIGINT,
    review_time_hours_nulls           BIGINT,
    review_time_hours_median          DOUBLE,
    review_time_hours_p75             DOUBLE,
    review_time_hours_p90             DOUBLE,
    pickup_time_hours_nulls           BIGINT,
    pickup_time_hours_median          DOUBLE,
    pickup_time_hours_p75             DOUBLE,
    pickup_time_hours_p90             DOUBLE,
    review_time_business_hours_nulls  BIGINT,
    review_time_business_hours_median DOUBLE,
    review_time_business_hours_p75    DOUBLE,
    review_time_business_hours_p90    DOUBLE,
    cycle_time_hours_nulls            BIGINT,
    cycle_time_hours_median           DOUBLE,
    cycle_time_hours_p75              DOUBLE,
    cycle_time_hours_p90              DOUBLE,
    time_to_merge_hours_nulls         BIGINT,
    time_to_merge_hours_median        DOUBLE,
    time_to_merge_hours_p75           DOUBLE,
    time_to_merge_hours_p90           DOUBLE
);

DELETE FROM metrics.team_weekly;

INSERT INTO metrics.team_weekly BY NAME
WITH grouped AS (
    SELECT
        team,
        created_week AS week,
        count(*) AS n,
        count(DISTINCT repository_id) AS n_repositories,
        count(*) FILTER (is_bot_author) AS n_bot_authors,
        count(merged_at) AS n_merged,
        count(*) FILTER (merged_without_review) AS n_merged_without_review,
        count(*) - count(review_time_hours) AS n_null,
        count(*) - count(review_time_hours) AS review_time_hours_nulls,
        quantile_cont(review_time_hours, [0.5, 0.75, 0.9]) AS review_time_hours,
        count(*) - count(pickup_time_hours) AS pickup_time_hours_nulls,
        quantile_cont(pickup_time_hours, [0.5, 0.75, 0.9]) AS pickup_time_hours,
        count(*) - count(review_time_business_hours) AS review_time_business_hours_nulls,
        quantile_cont(review_time_business_hours, [0.5, 0.75, 0.9]) AS review_time_business_hours,
        count(*) - count(cycle_time_hours) AS cycle_time_hours_nulls,
        quantile_cont(cycle_time_hours, [0.5, 0.75, 0.9]) AS cycle_time_hours,
        count(*) - count(time_to_merge_hours) AS time_to_merge_hours_nulls,
        quantile_cont(time_to_merge_hours, [0.5, 0.75, 0.9]) AS time_to_merge_hours
    FROM metrics.pull_request_times
    JOIN metrics.names USING (repository_id)
    WHERE team IS NOT NULL
    GROUP BY team, created_week
)
SELECT
    team,
    week,
    n,
    n_repositories,
    n_bot_authors,
    n_merged,
    n_merged_without_review,
    n_null,
    review_time_hours_nulls,
    round(review_time_hours[1], 2) AS review_time_hours_median,
    round(review_time_hours[2], 2) AS review_time_hours_p75,
    round(review_time_hours[3], 2) AS review_time_hours_p90,
    pickup_time_hours_nulls,
    round(pickup_time_hours[1], 2) AS pickup_time_hours_median,
    round(pickup_time_hours[2], 2) AS pickup_time_hours_p75,
    round(pickup_time_hours[3], 2) AS pickup_time_hours_p90,
    review_time_business_hours_nulls,
    round(review_time_business_hours[1], 2) AS review_time_business_hours_median,
    round(review_time_business_hours[2], 2) AS review_time_business_hours_p75,
    round(review_time_business_hours[3], 2) AS review_time_business_hours_p90,
    cycle_time_hours_nulls,
    round(cycle_time_hours[1], 2) AS cycle_time_hours_median,
    round(cycle_time_hours[2], 2) AS cycle_time_hours_p75,
    round(cycle_time_hours[3], 2) AS cycle_time_hours_p90,
    time_to_merge_hours_nulls,
    round(time_to_merge_hours[1], 2) AS time_to_merge_hours_median,
    round(time_to_merge_hours[2], 2) AS time_to_merge_hours_p75,
    round(time_to_merge_hours[3], 2) AS time_to_merge_hours_p90
FROM grouped
ORDER BY team, week;
