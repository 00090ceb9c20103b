-- compat_middleware: what Middleware computes for a pull request, in seconds.
--
-- Closed and merged pull requests only. Every submitted review counts, by anyone at any time: the author's own,
-- bots', those after the merge. An approval is a review whose state is APPROVED now, so not a dismissed one.
--   first_response_time_seconds  first review - created_at
--   rework_time_seconds          first approval - first review; 0 where the first review approves, NULL without approval
--   merge_time_seconds           merged_at - first approval; NULL where that would be negative, or nothing approved it
--   cycle_time_seconds           merged_at - first ready_for_review event, or created_at where there is none

CREATE OR REPLACE VIEW compat_middleware AS
WITH answers AS (
    SELECT
        repository, repository_id, number,
        min(submitted_at) AS first_at,
        min(submitted_at) FILTER (state = 'APPROVED') AS approved_at
    FROM reviews
    GROUP BY ALL
),
ready AS (
    SELECT repository, repository_id, number, min(created_at) AS ready_event_at
    FROM review_events
    WHERE event = 'ready_for_review'
    GROUP BY ALL
)
SELECT
    repository,
    number,
    date_diff('second', created_at, first_at) AS first_response_time_seconds,
    date_diff('second', first_at, approved_at) AS rework_time_seconds,
    CASE WHEN merged_at >= approved_at THEN date_diff('second', approved_at, merged_at) END AS merge_time_seconds,
    date_diff('second', coalesce(ready_event_at, created_at), merged_at) AS cycle_time_seconds,
    pull_request_id,
    repository_id
FROM pull_requests
LEFT JOIN answers USING (repository, repository_id, number)
LEFT JOIN ready USING (repository, repository_id, number)
WHERE state <> 'open';
