-- warn on metrics.review_time_hours
-- An open, ready pull request without a review has no waiting_hours: its draft events, or those of closing and reopening,
-- contradict its state, so events are missing.
SELECT repository, number, state, is_draft, waiting_hours
FROM metrics.review_time_hours
WHERE state = 'open' AND NOT is_draft AND review_time_hours IS NULL AND waiting_hours IS NULL;
