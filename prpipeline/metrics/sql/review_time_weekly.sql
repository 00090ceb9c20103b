-- review_time_weekly: one row per repository and ISO week (UTC) in which pull requests were opened.
--
-- Pull requests of people are counted, those of bots in n_bot_authors alone; a week with none of people has no row. With the
-- setting exclude_bots off bots are people, and n_bot_authors is 0.
-- {hours} stands for each of review_time_hours, review_time_hours_any, pickup_time_hours, review_time_business_hours,
-- time_to_first_approval_hours, time_to_merge_hours, cycle_time_hours, draft_hours and waiting_hours. Of each: how many
-- are NULL, and the median, 75th and 90th percentile of the others: of unrounded seconds, interpolated linearly between
-- closest ranks, and rounded half up to 2 decimals. They must not be averaged. NULL where all are.
-- {reason} stands for each of no_reviews, only_self, only_bots, only_self_and_bots, only_after_merge and before_reviews.

CREATE TABLE IF NOT EXISTS metrics.review_time_weekly (
    repository                          VARCHAR,
    team                                VARCHAR,
    week                                DATE,
    n                                   BIGINT,
    n_bot_authors                       BIGINT,
    n_merged                            BIGINT,
    n_merged_without_review             BIGINT,
    n_null_{reason} BIGINT,
    {hours}_nulls  BIGINT,
    {hours}_median DOUBLE,
    {hours}_p75    DOUBLE,
    {hours}_p90    DOUBLE,
    repository_id                       BIGINT
);

-- The weeks of these repositories (NULL: of all), each apart or all together. Read by name, it computes no more columns
-- than are asked for.
CREATE OR REPLACE MACRO metrics.weeks(repositories, are_together) AS TABLE
SELECT
    CASE WHEN NOT are_together THEN repository_id END AS repository_id,
    created_week AS week,
    count(*) AS n,
    count(merged_at) AS n_merged,
    count(*) FILTER (merged_without_review) AS n_merged_without_review,
    count(*) FILTER (null_reason = '{reason}') AS n_null_{reason},
    count(*) - count({hours}) AS {hours}_nulls,
    quantile_cont({hours}, [0.5, 0.75, 0.9]) AS {hours}
FROM metrics.counted_times
WHERE repositories IS NULL OR repository_id IN (SELECT unnest(repositories))
GROUP BY ALL;

DELETE FROM metrics.review_time_weekly;

INSERT INTO metrics.review_time_weekly BY NAME
WITH of_bots AS (
    SELECT repository_id, created_week AS week, count(*) AS n_bot_authors
    FROM metrics.pull_request_times
    WHERE NOT is_counted
    GROUP BY repository_id, created_week
)
SELECT
    repository_names.repository,
    repository_names.team,
    weeks.* EXCLUDE (
        {hours}
    ),
    coalesce(n_bot_authors, 0) AS n_bot_authors,
    metrics.rounded_hours({hours}[1]) AS {hours}_median,
    metrics.rounded_hours({hours}[2]) AS {hours}_p75,
    metrics.rounded_hours({hours}[3]) AS {hours}_p90
FROM metrics.weeks(NULL, false) AS weeks
LEFT JOIN of_bots USING (repository_id, week)
LEFT JOIN metrics.repository_names USING (repository_id)
ORDER BY repository_names.repository, week;
