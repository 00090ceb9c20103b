-- compat_issue_metrics: what GitHub's issue-metrics action says of a pull request, in seconds.
--
-- ready_for_review_at is the first ready_for_review event, whatever the pull request was opened as; NULL for what is
-- a draft now. The clock starts there, or at created_at without one.
--   time_to_first_review_seconds  to the first review, in the first 50 of the pull request, by someone who has another
--                                 login than the author and is no account of type Bot, no earlier than
--                                 ready_for_review_at. Reviews after the merge count; those of deleted accounts too,
--                                 on which issue-metrics itself may stop.
--   time_to_merge_seconds         to the merge
--   time_in_draft_seconds         all spells as a draft that have ended, and one that still runs where it is open;
--                                 NULL where that is 0

CREATE OR REPLACE VIEW metrics.compat_issue_metrics AS
WITH ready AS (
    SELECT pull_request_id, min(created_at) AS ready_event_at
    FROM raw.review_events
    WHERE event = 'ready_for_review'
    GROUP BY pull_request_id
),
starts AS (
    SELECT
        repository_id, pull_request_id, number, author_login, created_at, merged_at,
        CASE WHEN NOT is_draft THEN ready_event_at END AS ready_for_review_at
    FROM raw.pull_requests
    LEFT JOIN ready USING (pull_request_id)
),
-- Only a pull request of more than 50 reviews needs its reviews put in order.
long_ones AS (
    SELECT pull_request_id FROM raw.reviews GROUP BY pull_request_id HAVING count(*) > 50
),
beyond AS (
    SELECT review_id
    FROM raw.reviews
    SEMI JOIN long_ones USING (pull_request_id)
    QUALIFY row_number() OVER (PARTITION BY pull_request_id ORDER BY submitted_at, review_id) > 50
),
first_reviews AS (
    SELECT review.pull_request_id, min(review.submitted_at) AS reviewed_at
    FROM raw.reviews AS review
    JOIN starts AS pull_request USING (pull_request_id)
    ANTI JOIN beyond ON beyond.review_id = review.review_id
    WHERE NOT review.reviewer_is_bot
      AND review.reviewer_login IS DISTINCT FROM pull_request.author_login
      AND review.submitted_at >= coalesce(pull_request.ready_for_review_at, review.submitted_at)
    GROUP BY review.pull_request_id
),
drafts AS (
    SELECT
        pull_request_id,
        CAST(sum(date_diff('second', started_at,
            coalesce(ended_at, CASE WHEN is_open THEN greatest(as_of, started_at) END))) AS BIGINT) AS seconds
    FROM metrics.draft_spells
    JOIN metrics.pull_request_times USING (pull_request_id)
    CROSS JOIN metrics.rules
    GROUP BY pull_request_id
)
SELECT
    names.repository,
    number,
    ready_for_review_at,
    date_diff('second', coalesce(ready_for_review_at, created_at), reviewed_at) AS time_to_first_review_seconds,
    date_diff('second', coalesce(ready_for_review_at, created_at), merged_at) AS time_to_merge_seconds,
    nullif(seconds, 0) AS time_in_draft_seconds,
    pull_request_id,
    repository_id
FROM starts
LEFT JOIN first_reviews USING (pull_request_id)
LEFT JOIN drafts USING (pull_request_id)
LEFT JOIN metrics.names() AS names USING (repository_id);
