-- stage_weekly: one row per repository, ISO week (UTC) in which pull requests were opened, and stage that any was in.
--
-- Counts pull requests of people (with exclude_bots off, of all); n_bot_authors says how many others the week has.
-- hours are what a pull request spent in the stage, all its periods together (pull_request_stages); those that are still
-- in it (n_running) are not done, and in no hours here. n_null are pull requests of the week of which it is not known
-- whether or how long they were in the stage: where draft events are missing; of coding, where no commit before the opening is.
-- The median, 75th and 90th percentile are of those that were in the stage, interpolated. hours_total is their sum, so
-- that hours_total of all stages can be compared.

CREATE TABLE IF NOT EXISTS metrics.stage_weekly (
    repository    VARCHAR,
    week          DATE,
    stage         VARCHAR,
    n             BIGINT,
    n_bot_authors BIGINT,
    n_in_stage    BIGINT,
    n_running     BIGINT,
    n_null        BIGINT,
    hours_median  DOUBLE,
    hours_p75     DOUBLE,
    hours_p90     DOUBLE,
    hours_total   DOUBLE,
    repository_id BIGINT
);

DELETE FROM metrics.stage_weekly WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.stage_weekly BY NAME
WITH weeks AS (
    SELECT
        times.repository_id,
        created_week AS week,
        count(*) FILTER (NOT is_left_out) AS n,
        count(*) FILTER (is_left_out) AS n_bot_authors,
        count(*) FILTER (draft_hours IS NULL AND NOT is_left_out) AS n_unknown,
        count(*) FILTER (coalesce(first_commit_at > times.created_at, true) AND NOT is_left_out) AS n_without_commit
    FROM (SELECT *, is_bot_author AND $exclude_bots AS is_left_out FROM metrics.pull_request_times) AS times
    JOIN raw.pull_requests AS pull_request USING (pull_request_id)
    WHERE times.repository_id IN (SELECT unnest($repositories))
      AND pull_request.repository_id IN (SELECT unnest($repositories))
    GROUP BY ALL
),
pull_requests AS (
    SELECT
        times.repository_id,
        times.created_week AS week,
        stage,
        pull_request_id,
        CASE WHEN count(*) = count(ended_at) THEN sum(date_diff('second', started_at, ended_at)) END AS seconds
    FROM metrics.pull_request_stages AS period
    JOIN metrics.pull_request_times AS times USING (pull_request_id)
    WHERE period.repository_id IN (SELECT unnest($repositories))
      AND times.repository_id IN (SELECT unnest($repositories))
      AND NOT (times.is_bot_author AND $exclude_bots)
      AND stage IS NOT NULL
    GROUP BY ALL
),
stages AS (
    SELECT
        repository_id,
        week,
        stage,
        count(*) AS n_in_stage,
        count(*) - count(seconds) AS n_running,
        quantile_cont(seconds, [0.5, 0.75, 0.9]) AS seconds,
        sum(seconds) AS seconds_total
    FROM pull_requests
    GROUP BY ALL
)
SELECT
    repository_names.repository,
    week,
    stage,
    n,
    n_bot_authors,
    n_in_stage,
    n_running,
    CASE stage WHEN 'coding' THEN n_without_commit ELSE n_unknown END AS n_null,
    round(seconds[1] / 36) / 100 AS hours_median,
    round(seconds[2] / 36) / 100 AS hours_p75,
    round(seconds[3] / 36) / 100 AS hours_p90,
    round(seconds_total / 36) / 100 AS hours_total,
    repository_id
FROM stages
JOIN weeks USING (repository_id, week)
LEFT JOIN metrics.repository_names USING (repository_id);
