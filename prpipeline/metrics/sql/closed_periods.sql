-- The periods from a close to the reopening, of open pull requests of some repositories; without an end where the last
-- event contradicts that it is open, for then an event is missing. Events count as in draft_periods: those of one second
-- by their sum, and a repeated one changes nothing.
CREATE OR REPLACE MACRO metrics.closed_periods(repositories) AS TABLE
WITH seconds AS (
    SELECT pull_request_id, created_at AS moment, sum(CASE event WHEN 'closed' THEN 1 ELSE -1 END) AS net
    FROM raw.review_events
    WHERE repository_id IN (SELECT unnest(repositories)) AND event IN ('closed', 'reopened')
    GROUP BY pull_request_id, created_at
    HAVING net <> 0
),
changes AS (
    SELECT pull_request_id, moment, net > 0 AS is_close
    FROM seconds
    QUALIFY lag(net > 0, 1, false) OVER (PARTITION BY pull_request_id ORDER BY moment) <> (net > 0)
)
SELECT
    pull_request_id,
    moment AS started_at,
    lead(moment, 1, TIMESTAMP 'infinity') OVER (PARTITION BY pull_request_id ORDER BY moment) AS ended_at
FROM changes
QUALIFY is_close;
