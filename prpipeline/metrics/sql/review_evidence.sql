-- review_evidence: one row per submitted review, with whether it qualifies and, if not, why.
--
-- A review qualifies when its reviewer is not the author (ids are compared, logins are labels), is not a bot, and
-- it was submitted no later than the merge. A bot is an actor of type Bot, a login that ends in [bot], or a login
-- on the configured list, without regard to case. A deleted account has no id: it is a human, and never the author.
-- disqualified_by is the first reason that holds of self, bot, after_merge; the flags tell of the others.
-- is_since_ready tells whether it was submitted at or after ready_at (see review_time_hours).
-- With the setting exclude_self or exclude_bots off, that reason disqualifies nothing.

CREATE TABLE IF NOT EXISTS metrics.review_evidence (
    repository          VARCHAR,
    number              BIGINT,
    reviewer_login      VARCHAR,
    state               VARCHAR,
    original_state      VARCHAR,
    submitted_at        TIMESTAMP,
    hours_since_created DOUBLE,
    is_qualifying       BOOLEAN,
    disqualified_by     VARCHAR,
    is_self             BOOLEAN,
    is_bot              BOOLEAN,
    is_after_merge      BOOLEAN,
    is_in_draft         BOOLEAN,
    is_since_ready      BOOLEAN,
    reviewer_id         BIGINT,
    review_id           BIGINT,
    repository_id       BIGINT,
    pull_request_id     BIGINT
);

DELETE FROM metrics.review_evidence WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.review_evidence BY NAME
WITH pull_requests AS (
    SELECT pull_request_id, author_id, created_at, merged_at
    FROM raw.pull_requests
    WHERE repository_id IN (SELECT unnest($repositories))
),
-- What a dismissed review had said is known only from the event that dismissed it.
dismissals AS (
    SELECT review_id, arg_max(previous_state, created_at) AS previous_state
    FROM raw.review_events
    WHERE repository_id IN (SELECT unnest($repositories))
      AND event = 'review_dismissed'
      AND review_id IS NOT NULL
    GROUP BY review_id
),
-- Few are opened as a draft; all others are ready from the start.
drafts AS (
    SELECT spell.pull_request_id, min(event.created_at) AS ready_at
    FROM metrics.draft_spells AS spell
    LEFT JOIN raw.review_events AS event
        ON event.pull_request_id = spell.pull_request_id
        AND event.event = 'ready_for_review'
        AND event.repository_id IN (SELECT unnest($repositories))
    WHERE spell.repository_id IN (SELECT unnest($repositories)) AND spell.opened_as_draft
    GROUP BY spell.pull_request_id
),
reviews_in_draft AS (
    SELECT DISTINCT review.review_id
    FROM metrics.draft_spells AS spell
    JOIN raw.reviews AS review USING (pull_request_id)
    WHERE spell.repository_id IN (SELECT unnest($repositories))
      AND review.repository_id IN (SELECT unnest($repositories))
      AND review.submitted_at >= spell.started_at
      AND (review.submitted_at < spell.ended_at OR spell.ended_at IS NULL)
),
judged AS (
    SELECT
        review.*,
        pull_request.created_at,
        CASE WHEN drafts.pull_request_id IS NULL THEN pull_request.created_at ELSE drafts.ready_at END AS ready_at,
        coalesce(review.reviewer_id = pull_request.author_id, false) AS is_self,
        review.reviewer_is_bot
            OR coalesce(ends_with(lower(review.reviewer_login), '[bot]'), false)
            OR coalesce(list_contains($bots, lower(review.reviewer_login)), false) AS is_bot,
        coalesce(review.submitted_at > pull_request.merged_at, false) AS is_after_merge
    FROM raw.reviews AS review
    JOIN pull_requests AS pull_request USING (pull_request_id)
    LEFT JOIN drafts USING (pull_request_id)
    WHERE review.repository_id IN (SELECT unnest($repositories))
),
reasoned AS (
    SELECT
        *,
        CASE
            WHEN is_self AND $exclude_self THEN 'self'
            WHEN is_bot AND $exclude_bots THEN 'bot'
            WHEN is_after_merge THEN 'after_merge'
        END AS disqualified_by
    FROM judged
)
SELECT
    names.repository,
    review.number,
    review.reviewer_login,
    review.state,
    CASE WHEN review.state = 'DISMISSED' THEN dismissals.previous_state ELSE review.state END AS original_state,
    review.submitted_at,
    metrics.hours_between(review.created_at, review.submitted_at) AS hours_since_created,
    review.disqualified_by IS NULL AS is_qualifying,
    review.disqualified_by,
    review.is_self,
    review.is_bot,
    review.is_after_merge,
    reviews_in_draft.review_id IS NOT NULL AS is_in_draft,
    coalesce(review.submitted_at >= review.ready_at, false) AS is_since_ready,
    review.reviewer_id,
    review.review_id,
    review.repository_id,
    review.pull_request_id
FROM reasoned AS review
LEFT JOIN metrics.names() AS names USING (repository_id)
LEFT JOIN dismissals USING (review_id)
LEFT JOIN reviews_in_draft USING (review_id);
