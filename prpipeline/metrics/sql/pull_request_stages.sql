-- pull_request_stages: one row per period that a pull request spent in a stage, from the first commit to its end.
--
-- C, M, R and Q stand for what they do in review_time_hours; the end is M, or else closed_at.
--   coding              first_commit_at to C; none where it is unknown, or C comes first, as after a rebase
--   draft               open, and a draft
--   waiting_for_review  open and ready, before the first Q at or after R
--   in_review           open and ready, from that review to the first approving Q
--   approved            open and ready, since that approval
--   NULL                open, where draft events are missing (draft_hours is NULL), so that the stage is not known
-- The periods of a pull request do not overlap. Together they are the time from the first commit, or else from C, to the
-- end or now, less the periods in which it was closed, which are in no stage. A period of no time has no row.
-- ended_at is NULL, and hours run up to now, in the stage that an open pull request is in. Now is the last sync for a
-- repository that is no longer tracked.

CREATE TABLE IF NOT EXISTS metrics.pull_request_stages (
    repository      VARCHAR,
    number          BIGINT,
    stage           VARCHAR,
    started_at      TIMESTAMP,
    ended_at        TIMESTAMP,
    hours           DOUBLE,
    is_bot_author   BOOLEAN,
    pull_request_id BIGINT,
    repository_id   BIGINT
);

DELETE FROM metrics.pull_request_stages WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.pull_request_stages BY NAME
-- Periods as a draft and between drafts; a pull request that never was a draft has none.
WITH modes AS (
    SELECT pull_request_id, true AS is_draft, started_at, coalesce(ended_at, TIMESTAMP 'infinity') AS ended_at
    FROM metrics.draft_periods
    WHERE repository_id IN (SELECT unnest($repositories))
    UNION ALL
    SELECT pull_request_id, false,
        coalesce(lag(ended_at) OVER in_order, TIMESTAMP '-infinity'), started_at
    FROM metrics.draft_periods
    WHERE repository_id IN (SELECT unnest($repositories))
    WINDOW in_order AS (PARTITION BY pull_request_id ORDER BY period)
    UNION ALL
    SELECT pull_request_id, false, max(ended_at), TIMESTAMP 'infinity'
    FROM metrics.draft_periods
    WHERE repository_id IN (SELECT unnest($repositories))
    GROUP BY pull_request_id
    HAVING bool_and(ended_at IS NOT NULL)
),
open_or_draft AS (
    SELECT
        period.repository_id,
        pull_request_id,
        period.number,
        times.is_bot_author,
        times.draft_hours IS NOT NULL AS is_known,
        is_draft,
        greatest(period.started_at, modes.started_at) AS started_at,
        least(coalesce(period.ended_at, TIMESTAMP 'infinity'), modes.ended_at) AS ended_at,
        coalesce(first_since_ready_at, TIMESTAMP 'infinity') AS reviewed_at,
        coalesce(first_approval_at, TIMESTAMP 'infinity') AS approved_at
    FROM metrics.open_periods($repositories) AS period
    JOIN metrics.pull_request_times AS times USING (pull_request_id)
    LEFT JOIN modes ON modes.pull_request_id = CASE WHEN times.draft_hours IS NOT NULL THEN period.pull_request_id END
    WHERE times.repository_id IN (SELECT unnest($repositories))
),
periods AS (
    SELECT
        repository_id,
        pull_request_id,
        number,
        is_bot_author,
        unnest(CASE
            WHEN NOT is_known THEN [{'stage': NULL, 'started_at': started_at, 'ended_at': ended_at}]
            WHEN is_draft THEN [{'stage': 'draft', 'started_at': started_at, 'ended_at': ended_at}]
            ELSE [
                {'stage': 'waiting_for_review', 'started_at': started_at, 'ended_at': least(ended_at, reviewed_at)},
                {'stage': 'in_review', 'started_at': greatest(started_at, reviewed_at),
                    'ended_at': least(ended_at, approved_at)},
                {'stage': 'approved', 'started_at': greatest(started_at, approved_at), 'ended_at': ended_at}
            ]
        END, recursive := true)
    FROM open_or_draft
    UNION ALL
    SELECT times.repository_id, pull_request_id, times.number, times.is_bot_author, 'coding', first_commit_at,
        times.created_at
    FROM raw.pull_requests AS pull_request
    JOIN metrics.pull_request_times AS times USING (pull_request_id)
    WHERE pull_request.repository_id IN (SELECT unnest($repositories))
      AND times.repository_id IN (SELECT unnest($repositories))
)
SELECT
    repository_names.repository,
    period.number,
    stage,
    started_at,
    nullif(ended_at, TIMESTAMP 'infinity') AS ended_at,
    metrics.hours(date_diff('second', started_at, CASE WHEN ended_at < TIMESTAMP 'infinity' THEN ended_at
        ELSE greatest(started_at, coalesce(clock.as_of, $as_of)) END)) AS hours,
    is_bot_author,
    pull_request_id,
    period.repository_id
FROM periods AS period
LEFT JOIN metrics.repository_names ON repository_names.repository_id = period.repository_id
LEFT JOIN metrics.repository_clocks AS clock ON clock.repository_id = period.repository_id
WHERE started_at < ended_at;
