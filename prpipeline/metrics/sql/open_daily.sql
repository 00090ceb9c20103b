-- open_daily: one row per repository and day (UTC), from its first pull request to now, also where nothing happened.
--
-- Pull requests of people (with exclude_bots off, of all); columns that begin with bots_ are those of bots.
--   opened, reopened    of the day
--   closed              of the day, without a merge; merged stands apart
--   open                at the end of the day: those of the day before + opened + reopened - closed - merged
--   draft               of these, drafts
--   waiting             of these, ready and without a Q by then, as in waiting_hours and review_queue
-- A pull request of which draft events are missing is in neither draft nor waiting; one that is open now although its last
-- event is a closing is not in waiting.
-- A closing and a reopening in the same second are none. The last day is that of now, or of the last sync for a
-- repository that is no longer tracked; it shows what has happened by then.
-- {number} stands for each of opened, reopened, closed, merged, open, draft, waiting, bots_opened, bots_reopened,
-- bots_closed, bots_merged, bots_open, bots_draft and bots_waiting.
-- {flow} stands for each of opened, reopened, closed, merged, bots_opened, bots_reopened, bots_closed and bots_merged.
-- {stock} stands for each of open, draft, waiting, bots_open, bots_draft and bots_waiting.
-- {what} stands for each of opened, reopened, closed, merged, open, draft and waiting.

CREATE TABLE IF NOT EXISTS metrics.open_daily (
    repository    VARCHAR,
    day           DATE,
    {number} BIGINT,
    repository_id BIGINT
);

DELETE FROM metrics.open_daily WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.open_daily BY NAME
WITH authors AS (
    SELECT pull_request_id, is_bot_author AND $exclude_bots AS is_bot, first_review_at, waiting_hours
    FROM metrics.pull_request_times
    WHERE repository_id IN (SELECT unnest($repositories))
),
changes AS (
    SELECT
        repository_id,
        pull_request_id,
        unnest([
            {'moment': started_at, 'opened': is_first::INTEGER, 'reopened': 1 - is_first::INTEGER, 'closed': 0,
                'merged': 0, 'open': 1, 'draft': 0, 'waiting': 0},
            {'moment': ended_at, 'opened': 0, 'reopened': 0, 'closed': 1 - is_ended_by_merge::INTEGER,
                'merged': is_ended_by_merge::INTEGER, 'open': -1, 'draft': 0, 'waiting': 0}
        ], recursive := true)
    FROM metrics.open_periods($repositories)
    UNION ALL BY NAME
    SELECT
        repository_id,
        pull_request_id,
        unnest([
            {'moment': started_at, 'draft': (stage = 'draft')::INTEGER, 'waiting': (stage <> 'draft')::INTEGER},
            {'moment': ended_at, 'draft': -(stage = 'draft')::INTEGER, 'waiting': -(stage <> 'draft')::INTEGER}
        ], recursive := true)
    FROM metrics.pull_request_stages
    JOIN authors USING (pull_request_id)
    WHERE repository_id IN (SELECT unnest($repositories))
      AND (stage = 'draft'
        -- A review of the draft ends the wait before the pull request is ready.
        OR stage = 'waiting_for_review' AND started_at <= coalesce(first_review_at, started_at)
            AND (ended_at IS NOT NULL OR waiting_hours IS NOT NULL))
),
sums AS (
    SELECT
        repository_id,
        CAST(moment AS DATE) AS day,
        coalesce(CAST(sum({what}) FILTER (NOT is_bot) AS BIGINT), 0) AS {what},
        coalesce(CAST(sum({what}) FILTER (is_bot) AS BIGINT), 0) AS bots_{what}
    FROM changes
    JOIN authors USING (pull_request_id)
    WHERE moment IS NOT NULL
    GROUP BY repository_id, day
),
-- Where GitHub's clock is ahead of ours, the last change may be of the day after now.
days AS (
    SELECT
        repository_id,
        CAST(unnest(range(
            first_day::TIMESTAMP, greatest(last_day, coalesce(clock.as_of, $as_of)::DATE) + INTERVAL 1 DAY, INTERVAL 1 DAY
        )) AS DATE) AS day
    FROM (
        SELECT repository_id, min(day) AS first_day, max(day) AS last_day FROM sums GROUP BY repository_id
    )
    LEFT JOIN metrics.repository_clocks AS clock USING (repository_id)
)
SELECT
    repository_names.repository,
    day,
    coalesce({flow}, 0) AS {flow},
    CAST(sum(coalesce({stock}, 0)) OVER so_far AS BIGINT) AS {stock},
    repository_id
FROM days
LEFT JOIN sums USING (repository_id, day)
LEFT JOIN metrics.repository_names USING (repository_id)
WINDOW so_far AS (PARTITION BY repository_id ORDER BY day);
