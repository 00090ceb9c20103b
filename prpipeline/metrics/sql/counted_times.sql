-- The pull requests that aggregates count, with their times in seconds: medians and percentiles are of what is not rounded.
-- Bots' pull requests are left out, unless the setting exclude_bots is off.
CREATE OR REPLACE VIEW metrics.counted_times AS
SELECT
    repository_id,
    pull_request_id,
    author_id,
    created_at,
    created_week,
    is_open,
    closed_at,
    merged_at,
    is_bot_author,
    first_review_at,
    null_reason,
    merged_without_review,
    review_rounds,
    date_diff('second', created_at, first_review_at) AS review_time_hours,
    date_diff('second', created_at, first_any_at) AS review_time_hours_any,
    date_diff('second', ready_at, first_since_ready_at) AS pickup_time_hours,
    business_seconds AS review_time_business_hours,
    date_diff('second', ready_at, first_approval_at) AS time_to_first_approval_hours,
    CASE WHEN merged_at >= ready_at THEN date_diff('second', ready_at, merged_at) END AS time_to_merge_hours,
    date_diff('second', created_at, merged_at) AS cycle_time_hours,
    draft_seconds AS draft_hours,
    CASE WHEN waiting_since IS NOT NULL
        THEN greatest(0, date_diff('second', waiting_since, as_of)) END AS waiting_hours
FROM metrics.pull_request_times
LEFT JOIN metrics.repository_clocks USING (repository_id)
WHERE is_counted;
