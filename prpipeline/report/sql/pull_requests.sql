-- The pull requests that were open, or were opened, reviewed or closed, after $horizon (all where that is NULL): times in
-- seconds, since created_at unless they say something else. Where the first review is waited for, draft_wait is the part
-- of the wait spent as a draft, and unasked_wait the part that was ready while nobody (no person, no team) was asked.
-- Titles stand where a list may show them: of open ones, the newest, and the longest waits of each repository.
WITH clock AS (SELECT repository_id, coalesce(as_of, $as_of) AS as_of FROM repositories),
last_reviews AS (
    SELECT
        pull_request_id,
        max(submitted_at) AS last_review_at,
        min(submitted_at) FILTER (is_qualifying AND is_since_ready) AS picked_up_at
    FROM review_evidence
    GROUP BY pull_request_id
),
chosen AS (
    SELECT pull_request.*, picked_up_at, as_of
    FROM review_time_hours AS pull_request
    LEFT JOIN last_reviews USING (pull_request_id)
    LEFT JOIN clock USING (repository_id)
    WHERE $horizon::TIMESTAMP IS NULL OR state = 'open'
        OR greatest(created_at, closed_at, first_review_at, last_review_at) > $horizon::TIMESTAMP
),
asked AS (
    SELECT pull_request_id, min(asked_at) AS asked_at
    FROM review_requests
    WHERE NOT is_bot
    GROUP BY pull_request_id
),
periods AS (
    SELECT
        period.pull_request_id,
        stage,
        date_diff('second', started_at, coalesce(ended_at, chosen.as_of)) AS seconds,
        greatest(0, date_diff('second', started_at, least(ended_at, first_review_at, chosen.as_of))) AS until_review,
        greatest(0, date_diff('second', started_at, least(ended_at, first_review_at, asked_at, chosen.as_of))) AS until_asked
    FROM pull_request_stages AS period
    JOIN chosen USING (pull_request_id)
    LEFT JOIN asked USING (pull_request_id)
),
stages AS (
    SELECT
        pull_request_id,
        -- A commit's time is what its author's clock said, which may be that of another century.
        sum(least(seconds, 2000000000)) FILTER (stage = 'coding') AS coding,
        sum(seconds) FILTER (stage = 'draft') AS draft,
        sum(seconds) FILTER (stage = 'waiting_for_review') AS waiting_for_review,
        sum(seconds) FILTER (stage = 'in_review') AS in_review,
        sum(seconds) FILTER (stage = 'approved') AS approved,
        sum(until_review) FILTER (stage = 'draft') AS draft_wait,
        sum(until_asked) FILTER (stage = 'waiting_for_review') AS unasked_wait
    FROM periods
    GROUP BY pull_request_id
)
SELECT
    chosen.repository_id,
    chosen.number,
    chosen.author_id,
    chosen.author_login,
    chosen.author_team,
    NOT is_counted AS is_bot,
    state,
    is_draft,
    merged_without_review,
    queue.pull_request_id IS NOT NULL AS is_waiting,
    size_class,
    date_diff('second', chosen.created_at, $as_of::TIMESTAMP) AS age,
    date_diff('second', chosen.created_at, first_review_at) AS review,
    date_diff('second', chosen.created_at, chosen.ready_at) AS ready,
    date_diff('second', chosen.ready_at, picked_up_at) AS pickup,
    date_diff('second', chosen.created_at, closed_at) AS closed,
    date_diff('second', chosen.created_at, first_bot_review_at) AS bot_review,
    round(queue.waiting_hours * 100)::BIGINT AS waiting,
    first_review_id,
    coding, draft, waiting_for_review, in_review, approved, draft_wait, unasked_wait,
    left(queue.requested_reviewers, 160) AS requested,
    CASE WHEN state = 'open'
            OR row_number() OVER (ORDER BY chosen.created_at DESC) <= $titles
            OR row_number() OVER (PARTITION BY chosen.repository_id ORDER BY first_review_at - chosen.created_at DESC NULLS LAST) <= 10
        THEN left(regexp_replace(chosen.title, '[\x00-\x1f\x7f]+', ' ', 'g'), 160) END AS title,
    chosen.url,
    chosen.pull_request_id
FROM chosen
LEFT JOIN stages USING (pull_request_id)
LEFT JOIN review_queue AS queue ON queue.pull_request_id = chosen.pull_request_id
ORDER BY chosen.repository_id, chosen.created_at, chosen.number
