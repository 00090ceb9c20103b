-- author_weekly: one row per repository, author and ISO week (UTC) in which the author opened pull requests.
--
-- Authors are distinguished by id; deleted accounts have none and share a row. author_login is the login that an author
-- used last in the repository, the same in every week. Bots have no rows, unless the setting exclude_bots is off.
-- {hours} stands for each of review_time_hours and cycle_time_hours. Of each: how many
-- are NULL, and the median, 75th and 90th percentile of the others: of unrounded seconds, interpolated linearly between
-- closest ranks, and rounded half up to 2 decimals. They must not be averaged. NULL where all are.

CREATE TABLE IF NOT EXISTS metrics.author_weekly (
    repository               VARCHAR,
    author_login             VARCHAR,
    week                     DATE,
    n                        BIGINT,
    n_merged                 BIGINT,
    n_merged_without_review  BIGINT,
    n_null_before_reviews    BIGINT,
    review_rounds            BIGINT,
    {hours}_nulls  BIGINT,
    {hours}_median DOUBLE,
    {hours}_p75    DOUBLE,
    {hours}_p90    DOUBLE,
    is_bot_author            BOOLEAN,
    author_id                BIGINT,
    repository_id            BIGINT
);

DELETE FROM metrics.author_weekly WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.author_weekly BY NAME
WITH weeks AS (
    SELECT
        repository_id,
        author_id,
        created_week AS week,
        bool_or(is_bot_author) AS is_bot_author,
        count(*) AS n,
        count(merged_at) AS n_merged,
        count(*) FILTER (merged_without_review) AS n_merged_without_review,
        count(*) FILTER (null_reason = 'before_reviews') AS n_null_before_reviews,
        CAST(sum(review_rounds) AS BIGINT) AS review_rounds,
        count(*) - count({hours}) AS {hours}_nulls,
        list({hours}) FILTER ({hours} IS NOT NULL) AS {hours}
    FROM metrics.counted_times
    WHERE repository_id IN (SELECT unnest($repositories))
    GROUP BY repository_id, author_id, created_week
),
percentiles AS (
    SELECT * REPLACE (
        metrics.percentiles({hours}) AS {hours}
    )
    FROM weeks
),
logins AS (
    SELECT repository_id, author_id, arg_max(author_login, created_at) AS author_login
    FROM raw.pull_requests
    WHERE repository_id IN (SELECT unnest($repositories))
    GROUP BY repository_id, author_id
)
SELECT
    repository_names.repository,
    author_login,
    percentiles.* EXCLUDE (
        {hours}
    ),
    metrics.rounded_hours({hours}[1]) AS {hours}_median,
    metrics.rounded_hours({hours}[2]) AS {hours}_p75,
    metrics.rounded_hours({hours}[3]) AS {hours}_p90
FROM percentiles
LEFT JOIN logins USING (repository_id, author_id)
LEFT JOIN metrics.repository_names USING (repository_id);
