-- error on metrics.review_time_hours
-- A time ends with another review than the stored ones say, or its review is gone: reviews changed and times did not.
SELECT repository_id, number, review_time_hours, first_review_id, first_review_at, review_time_hours_any, first_at
FROM metrics.pull_request_times
LEFT JOIN (
    SELECT pull_request_id, min(submitted_at) AS first_at FROM raw.reviews GROUP BY pull_request_id
) USING (pull_request_id)
LEFT JOIN (
    SELECT pull_request_id, review_id AS first_review_id, submitted_at FROM raw.reviews
) USING (pull_request_id, first_review_id)
WHERE review_time_hours_any IS DISTINCT FROM metrics.hours_between(created_at, first_at)
   OR review_time_hours IS DISTINCT FROM metrics.hours_between(created_at, submitted_at)
   OR first_review_at IS DISTINCT FROM submitted_at;
