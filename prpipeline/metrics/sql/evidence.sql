-- Pull requests of some repositories with their ready_at, as review_time_hours tells it; has_open_spell is NULL where
-- none ever was a draft.
CREATE OR REPLACE MACRO metrics.readied(repositories) AS TABLE
WITH ready_events AS (
    SELECT pull_request_id, min(created_at) AS ready_at
    FROM raw.review_events
    WHERE event = 'ready_for_review' AND repository_id IN (SELECT unnest(repositories))
    GROUP BY pull_request_id
),
-- Few are ever drafts; all others are ready from the start.
drafts AS (
    SELECT
        pull_request_id,
        bool_or(opened_as_draft) AS opened_as_draft,
        bool_or(ended_at IS NULL) AS has_open_spell
    FROM metrics.draft_spells
    WHERE repository_id IN (SELECT unnest(repositories))
    GROUP BY pull_request_id
)
SELECT
    pull_request.*,
    CASE WHEN coalesce(opened_as_draft, false) THEN ready_events.ready_at ELSE pull_request.created_at END AS ready_at,
    has_open_spell
FROM raw.pull_requests AS pull_request
LEFT JOIN drafts USING (pull_request_id)
LEFT JOIN ready_events USING (pull_request_id)
WHERE pull_request.repository_id IN (SELECT unnest(repositories));

-- The reviews of some repositories, judged one by one: what they are judged by stands at the head of review_evidence.
CREATE OR REPLACE MACRO metrics.judged(repositories) AS TABLE
WITH rules AS (
    SELECT exclude_self, exclude_bots, bots FROM metrics.rules
),
-- What a dismissed review had said is known only from the event that dismissed it.
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
        pull_request.has_open_spell IS NOT NULL AS has_spells,
        metrics.is_bot(reviewer_login, reviewer_is_bot, rules.bots) AS is_bot,
        coalesce(review.reviewer_id = pull_request.author_id, false) AS is_self,
        coalesce(review.submitted_at > pull_request.merged_at, false) AS is_after_merge
    FROM raw.reviews AS review
    JOIN metrics.readied(repositories) AS pull_request USING (pull_request_id)
    CROSS JOIN rules
    WHERE review.repository_id IN (SELECT unnest(repositories))
),
judged AS (
    SELECT *, is_self AND exclude_self AS is_out_as_self, is_bot AND exclude_bots AS is_out_as_bot
    FROM facts
    CROSS JOIN (SELECT exclude_self, exclude_bots FROM rules)
)
SELECT
    review.*,
    CASE WHEN review.state = 'DISMISSED' THEN dismissals.previous_state ELSE review.state END AS original_state,
    CASE
        WHEN is_out_as_self THEN 'self'
        WHEN is_out_as_bot THEN 'bot'
        WHEN is_after_merge THEN 'after_merge'
    END AS disqualified_by,
    NOT (is_out_as_self OR is_out_as_bot OR is_after_merge) AS is_qualifying
FROM judged AS review
LEFT JOIN dismissals
    ON dismissals.review_id = CASE WHEN review.state = 'DISMISSED' THEN review.review_id END;

-- The same with where they lie between draft and ready.
CREATE OR REPLACE MACRO metrics.evidence(repositories) AS TABLE
-- A pull request's spells do not overlap: a review is in one or in none.
WITH spells AS (
    SELECT pull_request_id, started_at, coalesce(ended_at, TIMESTAMP 'infinity') AS ended_at
    FROM metrics.draft_spells
    WHERE repository_id IN (SELECT unnest(repositories))
)
SELECT
    review.*,
    spells.started_at IS NOT NULL AS is_in_draft,
    coalesce(review.submitted_at >= review.ready_at, false) AS is_since_ready
FROM metrics.judged(repositories) AS review
LEFT JOIN spells
    ON spells.pull_request_id = CASE WHEN review.has_spells THEN review.pull_request_id END
    AND spells.started_at <= review.submitted_at
    AND spells.ended_at > review.submitted_at;
