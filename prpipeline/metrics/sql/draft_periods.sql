-- draft_periods: one row per period that a pull request spent as a draft.
--
-- A period starts when the pull request is opened as a draft or converted to one, and ends when it is marked
-- ready. ended_at is NULL where no such event followed: the pull request is still a draft, or was one to its end.
--
-- GitHub does not say whether a pull request was opened as a draft. It was, where its first draft event is
-- ready_for_review, or where it is a draft now and has no draft event. Events of one second have no order:
-- they count by their sum, and a pair that cancels out changes nothing. A repeated event (the one between is
-- missing) changes nothing either.

CREATE TABLE IF NOT EXISTS metrics.draft_periods (
    repository          VARCHAR,
    number              BIGINT,
    period              BIGINT,
    started_at          TIMESTAMP,
    ended_at            TIMESTAMP,
    opened_as_draft     BOOLEAN,
    repository_id       BIGINT,
    pull_request_id     BIGINT
);

DELETE FROM metrics.draft_periods WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.draft_periods BY NAME
WITH seconds AS (
    SELECT
        pull_request_id,
        created_at AS moment,
        sum(CASE event WHEN 'converted_to_draft' THEN 1 ELSE -1 END) AS net
    FROM raw.review_events
    WHERE repository_id IN (SELECT unnest($repositories))
      AND event IN ('ready_for_review', 'converted_to_draft')
    GROUP BY pull_request_id, created_at
),
changes AS (
    SELECT pull_request_id, moment, net > 0 AS to_draft
    FROM seconds
    WHERE net <> 0
    QUALIFY lag(net > 0) OVER (PARTITION BY pull_request_id ORDER BY moment) IS DISTINCT FROM (net > 0)
),
first_changes AS (
    SELECT pull_request_id, arg_min(to_draft, moment) AS to_draft FROM changes GROUP BY pull_request_id
),
openings AS (
    SELECT pull_request.pull_request_id, pull_request.created_at AS moment
    FROM raw.pull_requests AS pull_request
    LEFT JOIN first_changes USING (pull_request_id)
    WHERE pull_request.repository_id IN (SELECT unnest($repositories))
      AND coalesce(NOT first_changes.to_draft, pull_request.is_draft)
),
states AS (
    SELECT pull_request_id, moment, true AS to_draft, true AS opened_as_draft FROM openings
    UNION ALL
    SELECT pull_request_id, moment, to_draft, false FROM changes
),
periods AS (
    SELECT
        pull_request_id,
        moment AS started_at,
        lead(moment) OVER in_order AS ended_at,
        opened_as_draft,
        to_draft
    FROM states
    WINDOW in_order AS (PARTITION BY pull_request_id ORDER BY moment, opened_as_draft DESC)
)
SELECT
    repository_names.repository,
    pull_request.number,
    row_number() OVER (PARTITION BY pull_request_id ORDER BY started_at, opened_as_draft DESC) AS period,
    periods.started_at,
    periods.ended_at,
    periods.opened_as_draft,
    pull_request.repository_id,
    pull_request_id
FROM periods
JOIN raw.pull_requests AS pull_request USING (pull_request_id)
LEFT JOIN metrics.repository_names USING (repository_id)
WHERE periods.to_draft
  AND pull_request.repository_id IN (SELECT unnest($repositories));
