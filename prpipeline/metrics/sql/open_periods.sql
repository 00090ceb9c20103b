-- The periods in which the pull requests of some repositories were open, in order; ended_at is NULL while one is.
--
-- The first begins at created_at, each further one with a reopening; the last ends with the merge, or else at closed_at.
-- Closings and reopenings of one second count by their sum. A repeated event (the one between is missing) changes nothing,
-- and neither does a last closing after which the pull request was open until its end, or is open now.
CREATE OR REPLACE MACRO metrics.open_periods(repositories) AS TABLE
WITH pull_requests AS (
    SELECT repository_id, pull_request_id, number, created_at, coalesce(merged_at, closed_at) AS end_at,
        merged_at IS NOT NULL AS is_merged
    FROM raw.pull_requests
    WHERE repository_id IN (SELECT unnest(repositories))
),
-- Hardly any was ever reopened; all others have one period.
reopened AS (
    SELECT DISTINCT pull_request_id
    FROM raw.review_events
    WHERE event = 'reopened' AND repository_id IN (SELECT unnest(repositories))
),
seconds AS (
    SELECT pull_request_id, event.created_at AS moment, sum(CASE event.event WHEN 'reopened' THEN 1 ELSE -1 END) AS net
    FROM raw.review_events AS event
    JOIN pull_requests USING (pull_request_id)
    SEMI JOIN reopened USING (pull_request_id)
    WHERE event.repository_id IN (SELECT unnest(repositories))
      AND event.event IN ('closed', 'reopened')
      AND event.created_at >= pull_requests.created_at
      AND event.created_at < coalesce(end_at, TIMESTAMP 'infinity')
    GROUP BY pull_request_id, event.created_at
),
changes AS (
    SELECT pull_request_id, moment, net > 0 AS to_open
    FROM seconds
    WHERE net <> 0
    QUALIFY lag(net > 0, 1, true) OVER (PARTITION BY pull_request_id ORDER BY moment) <> (net > 0)
),
closings AS (
    SELECT pull_request_id, moment AS closed_at, lead(moment) OVER in_order AS reopened_at, to_open
    FROM changes
    WINDOW in_order AS (PARTITION BY pull_request_id ORDER BY moment)
),
gaps AS (
    SELECT
        pull_request_id,
        closed_at,
        reopened_at,
        lag(reopened_at) OVER (PARTITION BY pull_request_id ORDER BY closed_at) AS last_reopened_at
    FROM closings
    WHERE NOT to_open AND reopened_at IS NOT NULL
),
last_gaps AS (
    SELECT pull_request_id, max(reopened_at) AS reopened_at FROM gaps GROUP BY pull_request_id
)
SELECT repository_id, pull_request_id, number, coalesce(last_gaps.reopened_at, created_at) AS started_at,
    end_at AS ended_at, last_gaps.reopened_at IS NULL AS is_first, is_merged AS is_ended_by_merge
FROM pull_requests
LEFT JOIN last_gaps USING (pull_request_id)
UNION ALL
SELECT repository_id, pull_request_id, number, coalesce(last_reopened_at, created_at), closed_at,
    last_reopened_at IS NULL, false
FROM gaps
JOIN pull_requests USING (pull_request_id);
