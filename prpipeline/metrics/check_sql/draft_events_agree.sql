-- warn on metrics.review_time_hours
-- The last draft event contradicts whether the pull request is a draft, so draft_hours is NULL: events are missing.
SELECT repository, number, is_draft
FROM metrics.review_time_hours
WHERE draft_hours IS NULL;
