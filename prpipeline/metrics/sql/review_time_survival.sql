-- review_time_survival: one row per repository and month (UTC) in which pull requests were opened: the time to first
-- review, also with the pull requests counted in that have none yet.
--
-- A plain median leaves out what still waits, and so looks best right after many were opened. The Kaplan-Meier estimate counts a
-- pull request without a qualifying review as unreviewed for as long as it was observed: until now (the last
-- sync of a repository that is no longer tracked) where it is open (drafts too), else until it was closed or merged. kaplan_meier_median_hours is the first time by which at least
-- half, p75 and p90 by which three quarters and nine tenths are estimated to be reviewed; NULL where the estimate does
-- not come that far. A review counts before an end of observation at the same time.

CREATE TABLE IF NOT EXISTS metrics.review_time_survival (
    repository                VARCHAR,
    month                     DATE,
    n                         BIGINT,
    n_reviewed                BIGINT,
    n_null                    BIGINT,
    n_open                    BIGINT,
    n_closed                  BIGINT,
    median_hours              DOUBLE,
    p75_hours                 DOUBLE,
    p90_hours                 DOUBLE,
    kaplan_meier_median_hours DOUBLE,
    kaplan_meier_p75_hours    DOUBLE,
    kaplan_meier_p90_hours    DOUBLE,
    repository_id             BIGINT
);

DELETE FROM metrics.review_time_survival;

INSERT INTO metrics.review_time_survival BY NAME
WITH spans AS (
    SELECT
        repository_id,
        CAST(date_trunc('month', created_at) AS DATE) AS month,
        coalesce(
            review_time_hours,
            metrics.hours_between(created_at, greatest(created_at, coalesce(merged_at, closed_at, as_of, $as_of)))
        ) AS hours,
        review_time_hours,
        is_open
    FROM metrics.pull_request_times
    LEFT JOIN metrics.repository_clocks USING (repository_id)
),
-- Hours are whole hundredths: these sort as they do, an end of observation after a review at the same time. Counted down from
-- the longest, the place of one is how many were still unreviewed before it.
counted_down AS (
    SELECT
        repository_id,
        month,
        list_sort(list(CAST(hours * 100 AS BIGINT) * 2 + (review_time_hours IS NULL)::BIGINT), 'DESC') AS ends
    FROM spans
    GROUP BY repository_id, month
),
numbered AS (
    SELECT repository_id, month, unnest(ends) AS ending, generate_subscripts(ends, 1) AS unreviewed
    FROM counted_down
),
-- The product of (1 - 1 / unreviewed) as a sum of logarithms; a factor of 0 ends it.
estimate AS (
    SELECT
        repository_id,
        month,
        (ending >> 1) / 100.0::DOUBLE AS hours,
        CASE WHEN unreviewed = 1 THEN 0 ELSE exp(sum(
            CASE WHEN unreviewed = 1 THEN 0 ELSE ln(1 - 1 / unreviewed) END
        ) OVER (PARTITION BY repository_id, month ORDER BY unreviewed DESC ROWS UNBOUNDED PRECEDING)) END AS surviving
    FROM numbered
    WHERE ending & 1 = 0
),
-- The allowance is for sums of logarithms that are exactly a half but for rounding.
kaplan_meier AS (
    SELECT
        repository_id,
        month,
        min(hours) FILTER (surviving <= 0.5 + 1e-9) AS median_hours,
        min(hours) FILTER (surviving <= 0.25 + 1e-9) AS p75_hours,
        min(hours) FILTER (surviving <= 0.1 + 1e-9) AS p90_hours
    FROM estimate
    GROUP BY repository_id, month
),
plain AS (
    SELECT
        repository_id,
        month,
        count(*) AS n,
        count(review_time_hours) AS n_reviewed,
        count(*) FILTER (review_time_hours IS NULL AND is_open) AS n_open,
        count(*) FILTER (review_time_hours IS NULL AND NOT is_open) AS n_closed,
        quantile_cont(review_time_hours, [0.5, 0.75, 0.9]) AS hours
    FROM spans
    GROUP BY repository_id, month
)
SELECT
    repository_names.repository,
    plain.month,
    n,
    n_reviewed,
    n - n_reviewed AS n_null,
    n_open,
    n_closed,
    round(plain.hours[1], 2) AS median_hours,
    round(plain.hours[2], 2) AS p75_hours,
    round(plain.hours[3], 2) AS p90_hours,
    kaplan_meier.median_hours AS kaplan_meier_median_hours,
    kaplan_meier.p75_hours AS kaplan_meier_p75_hours,
    kaplan_meier.p90_hours AS kaplan_meier_p90_hours,
    plain.repository_id
FROM plain
LEFT JOIN kaplan_meier USING (repository_id, month)
LEFT JOIN metrics.repository_names USING (repository_id)
ORDER BY repository_names.repository, plain.month;
