-- clock_events: one row per start and stop of a clock of a pull request, so that each number can be followed by hand.
--
-- The hours between start and stop are the column of the same name in review_time_hours; what runs on has no stop. C, M, R
-- and Q stand for what they do there; the end is M, or else closed_at.
--   review_time             C to the first Q                      review_time_hours
--   review_time_any         C to the first review of anyone       review_time_hours_any
--   pickup_time             R to the first Q at or after R        pickup_time_hours
--   time_to_first_approval  R to the first approving Q since R    time_to_first_approval_hours
--   time_to_merge           R to M                                time_to_merge_hours
--   cycle_time              C to M                                cycle_time_hours
--   draft                   each draft period, up to the end      draft_hours: their sum, the last one up to now
--   waiting                 each period from R to the first Q     waiting_hours: their sum, up to now, where the last one
--                           or the end in which it was open and   goes on
--                           ready
-- In a repository that is no longer tracked, draft and waiting clocks that still run stop at its last sync.
-- Clocks that start at R do not where R is after M; waiting does not after a Q or the end either. Where events are
-- missing, so that draft_hours is NULL, there is no draft clock, and no waiting clock of what is a draft now.

CREATE OR REPLACE VIEW clock_events AS
WITH untracked AS NOT MATERIALIZED (
    SELECT repository_id, max(as_of) AS last_sync_at
    FROM repositories
    GROUP BY repository_id
    HAVING bool_and(status = 'untracked')
),
pull_requests_with_end AS NOT MATERIALIZED (
    SELECT
        *,
        coalesce(merged_at, closed_at) AS end_at,
        CASE WHEN merged_at IS NOT NULL THEN 'merged' ELSE 'closed' END AS end_event
    FROM review_time_hours
    LEFT JOIN untracked USING (repository_id)
),
periods AS NOT MATERIALIZED (
    SELECT
        repository, repository_id, number, pull_request_id, started_at, ended_at, opened_as_draft, end_at, end_event,
        last_sync_at, draft_hours
    FROM draft_periods
    JOIN pull_requests_with_end USING (repository, repository_id, number, pull_request_id)
),
drafts AS NOT MATERIALIZED (
    SELECT repository, repository_id, number, pull_request_id, bool_or(opened_as_draft) AS opened_as_draft
    FROM periods
    GROUP BY ALL
),
moments AS NOT MATERIALIZED (
    SELECT
        *,
        CASE WHEN opened_as_draft THEN 'ready_for_review' ELSE 'opened' END AS ready_event,
        CASE WHEN ready_at <= coalesce(merged_at, ready_at) THEN ready_at END AS start_at,
        coalesce(
            least(first_review_at, end_at),
            CASE WHEN last_sync_at IS NOT NULL THEN greatest(last_sync_at, ready_at) END
        ) AS wait_end_at
    FROM pull_requests_with_end
    LEFT JOIN drafts USING (repository, repository_id, number, pull_request_id)
),
of_pull_requests AS (
    SELECT
        repository, repository_id, number, pull_request_id,
        unnest([
            {'clock': 'review_time', 'what': 'starts', 'happened_at': created_at, 'event': 'opened'},
            {'clock': 'review_time_any', 'what': 'starts', 'happened_at': created_at, 'event': 'opened'},
            {'clock': 'cycle_time', 'what': 'starts', 'happened_at': created_at, 'event': 'opened'},
            {'clock': 'cycle_time', 'what': 'stops', 'happened_at': merged_at, 'event': 'merged'},
            {'clock': 'pickup_time', 'what': 'starts', 'happened_at': start_at, 'event': ready_event},
            {'clock': 'time_to_first_approval', 'what': 'starts', 'happened_at': start_at, 'event': ready_event},
            {'clock': 'time_to_merge', 'what': 'starts', 'happened_at': start_at, 'event': ready_event},
            {'clock': 'time_to_merge', 'what': 'stops', 'happened_at': CASE WHEN merged_at >= ready_at THEN merged_at END,
                'event': 'merged'}
        ], recursive := true),
        NULL::BIGINT AS review_id
    FROM moments
),
-- The first of these reviews stops the clock.
reviews_that_stop AS (
    SELECT *, 'review_time_any' AS clock FROM review_evidence
    UNION ALL
    SELECT *, 'review_time' FROM review_evidence WHERE is_qualifying
    UNION ALL
    SELECT *, 'pickup_time' FROM review_evidence WHERE is_qualifying AND is_since_ready
    UNION ALL
    SELECT *, 'time_to_first_approval' FROM review_evidence
    WHERE is_qualifying AND is_since_ready AND original_state = 'APPROVED'
),
of_reviews AS (
    SELECT
        repository, repository_id, number, pull_request_id, clock, 'stops' AS what, min(submitted_at) AS happened_at,
        'review' AS event, arg_min(review_id, row(submitted_at, review_id)) AS review_id
    FROM reviews_that_stop
    GROUP BY ALL
),
of_drafts AS (
    SELECT
        repository, repository_id, number, pull_request_id,
        unnest([
            {'clock': 'draft', 'what': 'starts', 'happened_at': started_at,
                'event': CASE WHEN opened_as_draft THEN 'opened' ELSE 'converted_to_draft' END},
            {'clock': 'draft', 'what': 'stops', 'happened_at': coalesce(
                least(ended_at, end_at),
                CASE WHEN last_sync_at IS NOT NULL THEN greatest(last_sync_at, started_at) END
            ),
                'event': CASE WHEN ended_at <= coalesce(end_at, ended_at) THEN 'ready_for_review'
                    WHEN end_at IS NOT NULL THEN end_event ELSE 'last_sync' END}
        ], recursive := true),
        NULL::BIGINT AS review_id
    FROM periods
    WHERE draft_hours IS NOT NULL AND started_at <= coalesce(end_at, started_at)
),
-- Closing and reopening, as metrics.closed_periods reads them.
closings AS NOT MATERIALIZED (
    SELECT
        repository, repository_id, number, created_at AS moment,
        sum(CASE event WHEN 'closed' THEN 1 ELSE -1 END) AS net
    FROM review_events
    WHERE event IN ('closed', 'reopened')
    GROUP BY ALL
    HAVING net <> 0
),
-- Of the steps into and out of a draft or a close the first here is the opening.
steps AS (
    SELECT repository, repository_id, number, created_at AS moment, 0 AS step, 'opened' AS event FROM moments
    UNION ALL
    SELECT repository, repository_id, number, started_at, 1, 'converted_to_draft' FROM periods
    UNION ALL
    SELECT repository, repository_id, number, ended_at, -1, 'ready_for_review' FROM periods WHERE ended_at IS NOT NULL
    UNION ALL
    SELECT repository, repository_id, number, moment, CASE WHEN net > 0 THEN 1 ELSE -1 END,
        CASE WHEN net > 0 THEN 'closed' ELSE 'reopened' END
    FROM closings
    QUALIFY coalesce(lag(net > 0) OVER (PARTITION BY repository, repository_id, number ORDER BY moment), false) <> (net > 0)
),
spans AS (
    SELECT
        repository, repository_id, number, moment AS started_at,
        sum(sum(step)) OVER in_order AS depth,
        coalesce(max(event) FILTER (step < 0), 'opened') AS start_event,
        lead(moment) OVER in_order AS until,
        lead(max(event) FILTER (step > 0)) OVER in_order AS stop_event
    FROM (
        SELECT * REPLACE (greatest(moment, created_at) AS moment)
        FROM steps JOIN (SELECT repository, repository_id, number, created_at FROM moments)
            USING (repository, repository_id, number)
    )
    GROUP BY repository, repository_id, number, moment
    WINDOW in_order AS (PARTITION BY repository, repository_id, number ORDER BY moment)
),
waits AS (
    SELECT
        repository, repository_id, number, pull_request_id, started_at, start_event, stop_event, until, wait_end_at,
        first_review_at, first_review_id, end_at, end_event,
        -- It is a draft, but no event shows since when.
        bool_or(state = 'open' AND is_draft AND until IS NULL) OVER (PARTITION BY repository, repository_id, number)
            AS is_draft_since_unknown
    FROM spans
    JOIN moments USING (repository, repository_id, number)
    WHERE depth = 0 AND started_at <= coalesce(wait_end_at, started_at)
),
of_waiting AS (
    SELECT
        repository, repository_id, number, pull_request_id,
        unnest([
            {'clock': 'waiting', 'what': 'starts', 'happened_at': started_at, 'event': start_event, 'review_id': NULL},
            {'clock': 'waiting', 'what': 'stops', 'happened_at': least(wait_end_at, until),
                'event': CASE least(wait_end_at, until) WHEN first_review_at THEN 'review' WHEN end_at THEN end_event
                    WHEN until THEN stop_event ELSE 'last_sync' END,
                'review_id': CASE WHEN least(wait_end_at, until) = first_review_at THEN first_review_id END}
        ], recursive := true)
    FROM waits
    WHERE NOT is_draft_since_unknown
)
SELECT repository, number, happened_at, clock, what, event, review_id, pull_request_id, repository_id
FROM (
    FROM of_pull_requests UNION ALL BY NAME FROM of_reviews
    UNION ALL BY NAME FROM of_drafts UNION ALL BY NAME FROM of_waiting
)
WHERE happened_at IS NOT NULL;
