-- author_weekly: one row per repository, author and ISO week (UTC) in which the author opened pull requests.
--
-- Authors are distinguished by id; deleted accounts have none and share a row. author_login is the login that an author
-- used last in the repository, the same in every week. Every pull request of the week counts, also bots'.
-- {hours} stands for each of review_time_hours and cycle_time_hours. Of each: how many are NULL, and the median, 75th
-- and 90th percentile of the others, interpolated. NULL where all are.

CREATE TABLE IF NOT EXISTS metrics.author_weekly (
    repository               VARCHAR,
    author_login             VARCHAR,
    week                     DATE,
    n                        BIGINT,
    n_merged                 BIGINT,
    n_merged_without_review  BIGINT,
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
        CAST(sum(review_rounds) AS BIGINT) AS review_rounds,
        count(*) - count({hours}) AS {hours}_nulls,
        list({hours}) FILTER ({hours} IS NOT NULL) AS {hours}
    FROM metrics.pull_request_times
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
    round({hours}[1], 2) AS {hours}_median,
    round({hours}[2], 2) AS {hours}_p75,
    round({hours}[3], 2) AS {hours}_p90
FROM percentiles
LEFT JOIN logins USING (repository_id, author_id)
LEFT JOIN metrics.repository_names USING (repository_id);
