-- author_weekly: one row per repository, author and ISO week (UTC) in which the author opened pull requests.
--
-- Authors are told apart by id; deleted accounts have none and share a row. author_login is the one that they used last
-- in the repository, in every week the same. Every pull request of the week counts, also bots'. For each column of
-- hours: how many are NULL, and the median, 75th and 90th percentile of the others, interpolated. NULL where all are.

CREATE TABLE IF NOT EXISTS metrics.author_weekly (
    repository               VARCHAR,
    author_login             VARCHAR,
    week                     DATE,
    n                        BIGINT,
    n_merged                 BIGINT,
    n_merged_without_review  BIGINT,
    n_null                   BIGINT,
    review_rounds            BIGINT,
    review_time_hours_nulls  BIGINT,
    review_time_hours_median DOUBLE,
    review_time_hours_p75    DOUBLE,
    review_time_hours_p90    DOUBLE,
    cycle_time_hours_nulls   BIGINT,
    cycle_time_hours_median  DOUBLE,
    cycle_time_hours_p75     DOUBLE,
    cycle_time_hours_p90     DOUBLE,
    is_bot_author            BOOLEAN,
    author_id                BIGINT,
    repository_id            BIGINT
);

DELETE FROM metrics.author_weekly WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.author_weekly BY NAME
WITH grouped AS (
    SELECT
        created_week AS week,
        bool_or(is_bot_author) AS is_bot_author,
        author_id,
        repository_id,
        count(*) AS n,
        count(merged_at) AS n_merged,
        count(*) FILTER (merged_without_review) AS n_merged_without_review,
        count(*) - count(review_time_hours) AS n_null,
        CAST(sum(review_rounds) AS BIGINT) AS review_rounds,
        count(*) - count(review_time_hours) AS review_time_hours_nulls,
        list(review_time_hours) FILTER (review_time_hours IS NOT NULL) AS review_time_hours,
        count(*) - count(cycle_time_hours) AS cycle_time_hours_nulls,
        list(cycle_time_hours) FILTER (cycle_time_hours IS NOT NULL) AS cycle_time_hours
    FROM metrics.pull_request_times
    WHERE repository_id IN (SELECT unnest($repositories))
    GROUP BY repository_id, author_id, created_week
),
logins AS (
    SELECT repository_id, author_id, arg_max(author_login, created_at) AS author_login
    FROM raw.pull_requests
    WHERE repository_id IN (SELECT unnest($repositories))
    GROUP BY repository_id, author_id
)
SELECT
    names.repository,
    author_login,
    week,
    n,
    n_merged,
    n_merged_without_review,
    n_null,
    review_rounds,
    review_time_hours_nulls,
    round(review_time_hours[1], 2) AS review_time_hours_median,
    round(review_time_hours[2], 2) AS review_time_hours_p75,
    round(review_time_hours[3], 2) AS review_time_hours_p90,
    cycle_time_hours_nulls,
    round(cycle_time_hours[1], 2) AS cycle_time_hours_median,
    round(cycle_time_hours[2], 2) AS cycle_time_hours_p75,
    round(cycle_time_hours[3], 2) AS cycle_time_hours_p90,
    is_bot_author,
    author_id,
    repository_id
FROM (
    SELECT * REPLACE (
        metrics.percentiles(review_time_hours) AS review_time_hours,
        metrics.percentiles(cycle_time_hours) AS cycle_time_hours
    )
    FROM grouped
)
LEFT JOIN logins USING (repository_id, author_id)
LEFT JOIN metrics.names USING (repository_id);
