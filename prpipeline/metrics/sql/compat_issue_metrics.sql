-- compat_issue_metrics: what GitHub's issue-metrics action says of a pull request, in seconds.
--
-- ready_for_review_at is the first ready_for_review event, whatever the pull request was opened as; NULL for what is
-- a draft now. The clock starts there, or at created_at without one.
--   time_to_first_review_seconds  to the first review, in the first 50 of the pull request, by someone who has another
--                                 login than the author and is no account of type Bot, no earlier than
--                                 ready_for_review_at. Reviews after the merge count; those of deleted accounts too,
--                                 on which issue-metrics itself may stop.
--   time_to_merge_seconds         to the merge
--   time_in_draft_seconds         all draft periods that have ended, and one that still runs where it is open,
--                                 until now: as_of; NULL where that is 0

CREATE OR REPLACE VIEW compat_issue_metrics AS
WITH ready AS (
    SELECT repository, repository_id, number, min(created_at) AS ready_event_at
    FROM review_events
    WHERE event = 'ready_for_review'
    GROUP BY ALL
),
starts AS NOT MATERIALIZED (
    SELECT
        repository, repository_id, number, pull_request_id, author_login, created_at, merged_at, state,
        CASE WHEN NOT is_draft THEN ready_event_at END AS ready_for_review_at
    FROM pull_requests
    LEFT JOIN ready USING (repository, repository_id, number)
),
-- Only a pull request of more than 50 reviews needs its reviews put in order.
long_ones AS (
    SELECT repository, repository_id, number FROM reviews GROUP BY ALL HAVING count(*) > 50
),
beyond AS (
    SELECT repository, repository_id, review_id, true AS is_beyond
    FROM reviews
    JOIN long_ones USING (repository, repository_id, number)
    QUALIFY row_number() OVER (
        PARTITION BY repository, repository_id, number ORDER BY submitted_at, review_id
    ) > 50
),
first_reviews AS (
    SELECT repository, repository_id, number, min(submitted_at) AS reviewed_at
    FROM reviews
    JOIN starts USING (repository, repository_id, number)
    LEFT JOIN beyond USING (repository, repository_id, review_id)
    WHERE NOT reviewer_is_bot
      AND is_beyond IS NULL
      AND reviewer_login IS DISTINCT FROM author_login
      AND submitted_at >= coalesce(ready_for_review_at, submitted_at)
    GROUP BY ALL
),
drafts AS (
    SELECT
        repository_id, pull_request_id,
        CAST(sum(date_diff('second', started_at, coalesce(
            ended_at,
            CASE WHEN pull_request.state = 'open' THEN greatest(as_of, started_at) END
        ))) AS BIGINT) AS seconds
    FROM draft_periods
    JOIN pull_requests AS pull_request USING (repository_id, pull_request_id)
    CROSS JOIN (SELECT as_of FROM pipeline_status)
    GROUP BY ALL
)
SELECT
    repository,
    number,
    ready_for_review_at,
    date_diff('second', coalesce(ready_for_review_at, created_at), reviewed_at) AS time_to_first_review_seconds,
    date_diff('second', coalesce(ready_for_review_at, created_at), merged_at) AS time_to_merge_seconds,
    nullif(seconds, 0) AS time_in_draft_seconds,
    pull_request_id,
    repository_id
FROM starts
LEFT JOIN first_reviews USING (repository, repository_id, number)
LEFT JOIN drafts USING (repository_id, pull_request_id);
