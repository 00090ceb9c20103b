-- review_time_survival: one row per repository and month (UTC) in which pull requests were opened: which share of them was
-- reviewed within how long.
--
-- The clock runs from C to the first Q. Closing or merging without a Q ends the wait: it is a competing end. What is open
-- without a Q, drafts too, is watched up to now (the last sync of a repository that is no longer tracked). The shares are
-- the Aalen-Johansen estimate of the part that is reviewed within so many days of 86,400 seconds, the last one included:
-- 0 to 1, rounded to 4 decimals. A review after a close without a merge counts. Of ends in the same second reviews and
-- closes come before the end of watching.
-- A share is NULL where nobody can know it: the window is longer than since the oldest was opened, or than any was watched
-- while some still wait.
-- median_hours, p75_hours and p90_hours are the first time by which half, three quarters and nine tenths are estimated to be
-- reviewed, rounded half up to 2 decimals; NULL where fewer are.
-- Pull requests of people are counted, as in review_time_weekly.
-- {window} stands for each of 1_day, 3_days, 7_days and 30_days.

CREATE TABLE IF NOT EXISTS metrics.review_time_survival (
    repository   VARCHAR,
    month        DATE,
    n            BIGINT,
    n_reviewed   BIGINT,
    n_open       BIGINT,
    share_reviewed_within_{window} DOUBLE,
    median_hours DOUBLE,
    p75_hours    DOUBLE,
    p90_hours    DOUBLE,
    repository_id BIGINT
);

DELETE FROM metrics.review_time_survival;

INSERT INTO metrics.review_time_survival BY NAME
WITH spans AS (
    SELECT
        repository_id,
        CAST(date_trunc('month', created_at) AS DATE) AS month,
        review_time_hours IS NOT NULL AS is_reviewed,
        is_open AND NOT is_reviewed AS is_censored,
        greatest(0, coalesce(
            review_time_hours, date_diff('second', created_at, coalesce(merged_at, closed_at, clock.as_of, $as_of))
        )) AS seconds,
        date_diff('second', created_at, coalesce(clock.as_of, $as_of)) AS age
    FROM metrics.counted_times
    LEFT JOIN metrics.repository_clocks AS clock USING (repository_id)
),
moments AS (
    SELECT
        repository_id,
        month,
        seconds,
        count(*) AS n,
        count(*) FILTER (is_reviewed) AS reviewed,
        count(*) FILTER (NOT is_censored) AS ended
    FROM spans
    GROUP BY repository_id, month, seconds
),
at_risk AS (
    SELECT *, sum(n) OVER (PARTITION BY repository_id, month ORDER BY seconds DESC) AS waiting FROM moments
),
-- The part of all that still waits after each moment.
remaining AS (
    SELECT *, product(1 - ended / waiting) OVER (PARTITION BY repository_id, month ORDER BY seconds) AS part
    FROM at_risk
),
steps AS (
    SELECT
        repository_id,
        month,
        seconds,
        lag(part, 1, 1.0::DOUBLE) OVER (PARTITION BY repository_id, month ORDER BY seconds) * reviewed / waiting AS step
    FROM remaining
),
-- The allowance is for sums that are exactly a half but for rounding.
curve AS (
    SELECT
        repository_id,
        month,
        seconds,
        1e-9 + sum(step) OVER (PARTITION BY repository_id, month ORDER BY seconds) AS share
    FROM steps
),
shares AS (
    SELECT
        repository_id,
        month,
        coalesce(max(share) FILTER (seconds <= split_part('{window}', '_', 1)::BIGINT * 86400), 0) AS within_{window},
        min(seconds) FILTER (share >= 0.5) AS median,
        min(seconds) FILTER (share >= 0.75) AS p75,
        min(seconds) FILTER (share >= 0.9) AS p90
    FROM curve
    GROUP BY repository_id, month
),
-- How long windows may be.
months AS (
    SELECT
        repository_id,
        month,
        count(*) AS n,
        count(*) FILTER (is_reviewed) AS n_reviewed,
        count(*) FILTER (is_censored) AS n_open,
        least(
            max(age),
            CASE WHEN max(seconds) FILTER (is_censored) >= max(seconds) FILTER (NOT is_censored)
                OR bool_and(is_censored) THEN max(seconds) END
        ) AS watched
    FROM spans
    GROUP BY repository_id, month
)
SELECT
    repository_names.repository,
    month,
    n,
    n_reviewed,
    n_open,
    CASE WHEN watched >= split_part('{window}', '_', 1)::BIGINT * 86400
        THEN round(within_{window}, 4) END AS share_reviewed_within_{window},
    metrics.rounded_hours(median) AS median_hours,
    metrics.rounded_hours(p75) AS p75_hours,
    metrics.rounded_hours(p90) AS p90_hours,
    repository_id
FROM months
JOIN shares USING (repository_id, month)
LEFT JOIN metrics.repository_names USING (repository_id)
ORDER BY repository_names.repository, month;
