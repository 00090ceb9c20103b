-- The pull requests of some repositories with their ready_at, as review_time_hours defines it. has_open_period: whether
-- the last draft period has not ended; NULL for a pull request that never was a draft.
CREATE OR REPLACE MACRO metrics.ready_pull_requests(repositories) AS TABLE
WITH ready_events AS (
    SELECT pull_request_id, min(created_at) AS ready_at
    FROM raw.review_events
    WHERE event = 'ready_for_review' AND repository_id IN (SELECT unnest(repositories))
    GROUP BY pull_request_id
),
-- Few pull requests are ever drafts; all others are ready from the start.
drafts AS (
    SELECT
        pull_request_id,
        bool_or(opened_as_draft) AS opened_as_draft,
        bool_or(ended_at IS NULL) AS has_open_period
    FROM metrics.draft_periods
    WHERE repository_id IN (SELECT unnest(repositories))
    GROUP BY pull_request_id
)
SELECT
    pull_request.*,
    CASE WHEN coalesce(opened_as_draft, false) THEN ready_events.ready_at ELSE pull_request.created_at END AS ready_at,
    has_open_period
FROM raw.pull_requests AS pull_request
LEFT JOIN drafts USING (pull_request_id)
LEFT JOIN ready_events USING (pull_request_id)
WHERE pull_request.repository_id IN (SELECT unnest(repositories));

-- The reviews of some repositories, each with whether it qualifies; the rules stand at the head of review_evidence.
CREATE OR REPLACE MACRO metrics.classified_reviews(repositories) AS TABLE
WITH chosen AS (
    SELECT exclude_self, exclude_bots, bots FROM metrics.metric_settings
),
-- What a dismissed review said before is known only from the event that dismissed it.
dismissals AS (
    SELECT review_id, arg_max(previous_state, created_at) AS previous_state
    FROM raw.review_events
    WHERE repository_id IN (SELECT unnest(repositories))
      AND event = 'review_dismissed'
      AND review_id IS NOT NULL
    GROUP BY review_id
),
facts AS (
    SELECT
        review.*,
        pull_request.created_at,
        pull_request.ready_at,
        pull_request.has_open_period IS NOT NULL AS was_ever_draft,
        metrics.is_bot(reviewer_login, reviewer_is_bot, chosen.bots) AS is_bot,
        coalesce(review.reviewer_id = pull_request.author_id, false) AS is_self,
        coalesce(review.submitted_at > pull_request.merged_at, false) AS is_after_merge
    FROM raw.reviews AS review
    JOIN metrics.ready_pull_requests(repositories) AS pull_request USING (pull_request_id)
    CROSS JOIN chosen
    WHERE review.repository_id IN (SELECT unnest(repositories))
),
classified AS (
    SELECT *, is_self AND exclude_self AS is_out_as_self, is_bot AND exclude_bots AS is_out_as_bot
    FROM facts
    CROSS JOIN (SELECT exclude_self, exclude_bots FROM chosen)
)
SELECT
    review.*,
    CASE WHEN review.state = 'DISMISSED' THEN dismissals.previous_state ELSE review.state END AS original_state,
    -- A dismissed review decided something, also where nobody knows what: GitHub dismisses no comments.
    review.state <> 'COMMENTED' AND coalesce(dismissals.previous_state, '') <> 'COMMENTED' AS is_verdict,
    -- NULL where nobody has read yet whether it has a text.
    review.state = 'COMMENTED' AND NOT review.has_text AS is_inline_only,
    CASE
        WHEN is_out_as_self THEN 'self'
        WHEN is_out_as_bot THEN 'bot'
        WHEN is_after_merge THEN 'after_merge'
    END AS disqualified_by,
    NOT (is_out_as_self OR is_out_as_bot OR is_after_merge) AS is_qualifying
FROM classified AS review
LEFT JOIN dismissals
    ON dismissals.review_id = CASE WHEN review.state = 'DISMISSED' THEN review.review_id END;

-- The same, with whether each was submitted in a draft period and since the pull request was ready.
CREATE OR REPLACE MACRO metrics.evidence(repositories) AS TABLE
-- A pull request's draft periods do not overlap: a review is in one or in none.
WITH periods AS (
    SELECT pull_request_id, started_at, coalesce(ended_at, TIMESTAMP 'infinity') AS ended_at
    FROM metrics.draft_periods
    WHERE repository_id IN (SELECT unnest(repositories))
)
SELECT
    review.*,
    periods.started_at IS NOT NULL AS is_in_draft,
    coalesce(review.submitted_at >= review.ready_at, false) AS is_since_ready
FROM metrics.classified_reviews(repositories) AS review
LEFT JOIN periods
    ON periods.pull_request_id = CASE WHEN review.was_ever_draft THEN review.pull_request_id END
    AND periods.started_at <= review.submitted_at
    AND periods.ended_at > review.submitted_at;
